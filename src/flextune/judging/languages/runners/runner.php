<?php
// Runs before a PHP program (auto_prepend_file); tells, over descriptor 4, how far the program came.
//
// The program is PHP's own main script. Two of its statements, one before the tests and one after them, are the
// judge's: a top-level `return`, an `exit` or text outside of the PHP tags before the tests gets to neither.
final class FlextuneTests
{
    private const ON = ['zend.assertions', 'assert.active', 'assert.exception'];
    private static bool $asserting = false;
    private static bool $catching = false;
    private static string $tag = '';
    private static int $marks = 0;
    private static int $line = 0;
    private static int $failures = 0;

    public static function expect(string $source): void
    {
        if (preg_match_all('/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/', $source, $tags)) {
            self::$tag = end($tags[0]);
        }
        // Called before a failed assert() throws what the program might catch.
        @assert_options(ASSERT_CALLBACK, static function (string $file, int $line): void {
            self::$failures += self::$marks > 0 && $line >= self::$line && $file === $_SERVER['SCRIPT_FILENAME'];
        });
    }

    /** The first call says whether the tests themselves switch assertions (s) and catch failures (c). */
    public static function mark(string $tag, ?string $options = null): void
    {
        $calls = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS);
        if (count($calls) !== 1 || $tag !== self::$tag || $tag === '') {
            return;
        }
        // One before the tests, then one after them.
        self::$marks = self::$marks === ($options === null ? 1 : 0) ? self::$marks + 1 : -1;
        if (self::$marks === 1) {
            self::$line = $calls[0]['line'];
            self::$catching = strpos($options, 'c') !== false;
            self::$asserting = strpos($options, 's') === false;
            foreach (self::$asserting ? self::off() : [] as $name) {
                @ini_set($name, '1');
            }
        }
    }

    /** Around the status of an exit that the tests have written (left_ and the tag): it is known before they leave. */
    public static function __callStatic(string $name, array $arguments)
    {
        $status = $arguments[0] ?? 0;
        if ($name === 'left_' . self::$tag && self::$marks > 0 && (!is_int($status) || $status === 0)) {
            self::$marks = 2;
        }
        return $status;
    }

    public static function held(): bool
    {
        $ended = self::$marks === 2 && (self::$failures === 0 || self::$catching);
        return $ended && !(self::$asserting && self::off());
    }

    /** What is switched off of that without which an assertion says nothing. */
    private static function off(): array
    {
        return array_filter(self::ON, static fn ($name) => ini_get($name) !== false && (int) ini_get($name) !== 1);
    }
}

(static function (): void {
    $pipe = fopen('php://fd/3', 'rb');
    $secret = fread($pipe, 32);
    fclose($pipe);
    $channel = fopen('php://fd/4', 'wb');
    fwrite($channel, 'S');
    try {
        $source = file_get_contents($_SERVER['SCRIPT_FILENAME']);
        token_get_all($source, TOKEN_PARSE);
    } catch (ParseError $error) {
        fwrite($channel, 'C');
        fwrite(STDERR, "PHP Parse error:  {$error->getMessage()} on line {$error->getLine()}\n");
        exit(1);
    }
    FlextuneTests::expect($source);
    fwrite($channel, 'R');

    $process = getmypid();
    $end = static function () use ($channel, $secret, $process): void {
        if (getmypid() !== $process) {
            return;
        }
        $error = error_get_last()['message'] ?? '';
        if (preg_match('/^(Allowed memory size|Out of memory)/', $error)) {
            fwrite($channel, 'M');
        } elseif (FlextuneTests::held()) {
            fwrite($channel, $secret);
        }
    };
    // Called first, as it was registered first; what it registers then comes after the program's own.
    register_shutdown_function('register_shutdown_function', $end);

    set_exception_handler(static function (Throwable $error) use ($channel): void {
        // The second is how MultiPL-E's tests fail.
        $failed = $error instanceof AssertionError
            || (get_class($error) === 'Exception' && $error->getMessage() === 'Test failed!');
        fwrite($channel, $failed ? 'A' : 'E');
        fwrite(STDERR, "PHP Fatal error:  Uncaught $error\n");
        exit(255);
    });
})();
