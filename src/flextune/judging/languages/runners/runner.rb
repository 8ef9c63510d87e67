# frozen_string_literal: true

# Loaded before a Ruby program (ruby -r); tells, over descriptor 4, how far the program came.
#
# The program is Ruby's own main script. Two of its lines are the judge's: one before the tests, which says how many
# there are, and one after them, which runs what a test library has registered. A top-level `return`, an `exit` or
# `__END__` before the tests gets to neither.
lambda do
  secret = IO.for_fd(3, 'rb').then { |pipe| pipe.read(32).tap { pipe.close } }
  channel = IO.for_fd(4, 'wb', autoclose: false)
  channel.close_on_exec = true
  report = channel.method(:syswrite)
  report.call('S')

  path = "#{__dir__}/main.rb"
  packages, precompiled, tag = ARGV.shift(3)
  # At the end, so that the standard library is still found first and fast.
  $LOAD_PATH.concat(packages.split(':'))
  Object.autoload(:Gem, 'rubygems')
  # Ruby asks this of every file that it is about to compile.
  files = nil
  RubyVM::InstructionSequence.define_singleton_method(:load_iseq) do |file|
    files ||= Marshal.load(File.binread(precompiled)) if file.end_with?('/test/unit.rb')
    load_from_binary(files[file]) if files&.key?(file)
  end
  begin
    RubyVM::InstructionSequence.compile_file(path)
  rescue SyntaxError => e
    warn e.message
    report.call('C')
    exit!(1)
  end
  report.call('R')

  process = Process.pid
  ended = reported = may_omit = may_catch = false
  marks = expected = 0
  again = -1

  # Whether tests were run, none of them was left out, and no failure was caught by what it tests.
  complete = lambda do |runs, omissions, swallowed|
    reason = if runs.zero? || runs < expected then "#{runs} tests were run"
             elsif omissions.positive? && !may_omit then "#{omissions} tests were omitted or skipped"
             elsif swallowed.positive? then 'the failure of an assertion was caught by what it tests'
             end
    next true unless reason

    warn reason
    reported = true
    report.call('A')
    false
  end

  # Test::Unit's own hook would run the tests after the program's exit handlers were set up, by which a
  # program could change their result.
  test_unit = lambda do
    Test::Unit::AutoRunner.need_auto_run = false
    raised = 0
    counting = Module.new { define_method(:initialize) { |*said, **more| raised += 1; super(*said, **more) } }
    Test::Unit::AssertionFailedError.prepend(counting)
    passed = Test::Unit::AutoRunner.run(false, nil, [])
    results = ObjectSpace.each_object(Test::Unit::TestResult).to_a
    if passed
      swallowed = raised - results.sum(&:failure_count)
      omissions = results.sum { |result| result.omission_count + result.pending_count }
      next complete.call(results.sum(&:run_count), omissions, may_catch ? 0 : swallowed)
    end

    reported = true
    report.call(results.sum(&:error_count).zero? ? 'A' : 'E')
    false
  end

  minitest = lambda do
    results = []
    run_one = Minitest.method(:run_one_method)
    Minitest.define_singleton_method(:run_one_method) do |*test|
      run_one.call(*test).tap { |result| results << result }
    end
    # What every failure is when it is made; those of tests that were skipped or raised are of other classes.
    raised = 0
    counting = Module.new do
      define_method(:initialize) do |*said, **more|
        raised += 1 if instance_of?(Minitest::Assertion)
        super(*said, **more)
      end
    end
    Minitest::Assertion.prepend(counting)
    passed = Minitest.run([])
    # Its own hook, at exit, need not run them again.
    Minitest.define_singleton_method(:run) { |*| passed }
    if passed
      swallowed = may_catch ? 0 : raised
      next complete.call(results.size, results.count(&:skipped?), swallowed)
    end

    reported = true
    report.call(results.none?(&:error?) ? 'A' : 'E')
    false
  end

  conclude = lambda do
    exit(1) if defined?(Test::Unit::AutoRunner) && !test_unit.call
    exit(1) if defined?(Minitest.run) && !minitest.call
    ended = true
  end

  # Who comes to the first mark again has jumped back to it.
  Kernel.define_method :flextune_mark do |said, tests = nil, options = ''|
    next unless said == tag && caller_locations(1).size == 1

    if tests
      marks = marks.zero? ? 1 : again
      # What tests may ask before they begin.
      $0 = path unless $0 == path
      expected = tests
      may_omit = options.include?('o')
      may_catch = options.include?('c')
    elsif marks == 1
      conclude.call
    end
  end

  # Around the status of an exit that the tests have written: it is known before they leave.
  Kernel.define_method "flextune_left_#{tag}" do |status = true|
    conclude.call if marks == 1 && !ended && Process.pid == process && [true, 0].include?(status)
    status
  end

  # The first handler to be registered is the last to run.
  at_exit do
    next unless Process.pid == process

    error = $!
    if error.nil? || (error.is_a?(SystemExit) && error.success?)
      report.call(secret) if ended
    elsif !reported
      assertion = %w[Test::Unit::AssertionFailedError Minitest::Assertion].include?(error.class.name)
      report.call(error.is_a?(NoMemoryError) ? 'M' : assertion ? 'A' : 'E')
    end
  end
end.call
