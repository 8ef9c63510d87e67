# Loaded before a Perl program (perl -M); tells, over descriptor 4, how far the program came.
#
# The program is Perl's own main script. Its last line, which is the judge's, calls Flextune::end(): an `exit` or
# `__END__` before the tests does not get there.
package Flextune;

my ($running, $ended);
my $process = $$;
# Descriptors that Perl opens above the third are closed in a child's program.
open(my $pipe, '<&=', 3);
open(my $channel, '>&=', 4);
sysread($pipe, my $secret, 32);
close($pipe);
syswrite($channel, 'S');

open(my $file, '<', $0);
my $source = join('', <$file>);
close($file);
my $last_line = $source =~ tr/\n//;
# The program has its own folders alone to find modules in.
shift @INC;

# Test::Builder takes four times as long to load as the rest of Test::Deep. Its eq_deeply, which is all that most
# programs use, does without.
if ($source =~ /\bTest::Deep\b/ && $source !~ /\bcmp_|\bTest::(?!Deep\s*;)|\bTest2\b/) {
    $INC{'Test/Builder.pm'} = __FILE__;
    *Test::Builder::new = sub { bless {}, shift };
}

sub end {
    my (undef, $path, $line) = caller;
    $ended = 1 if $path eq $0 && $line == $last_line && !caller(1);
}

# After the program is compiled, before it runs.
INIT {
    $running = 1;
    syswrite($channel, 'R');
}

# The first END block to be compiled is the last to run.
END {
    if ($$ == $process) {
        my $status = $?;
        # MultiPL-E's tests fail by exit status 1; what dies ends with another.
        syswrite($channel, !$running ? 'C' : $status == 1 ? 'A' : $status != 0 ? 'E' : $ended ? $secret : '');
        $? = $status;
    }
}

1;
