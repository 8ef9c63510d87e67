-- Runs one Lua program and tells, over descriptor 4, how far it came.
--
-- Two of its statements, one before the tests and one after them, are the judge's and call flextune_mark: what leaves
-- the main chunk before gets to neither. Tests that end in luaunit's `os.exit(lu.LuaUnit.run())` never get to the
-- second: their own exits call flextune_left and the tag.
local path, tag = arg[1], arg[2]
local exit, getinfo, traceback, assert_function = os.exit, debug.getinfo, debug.traceback, assert
local pipe = io.open('/dev/fd/3', 'rb')
local secret = pipe:read(32)
pipe:close()
local channel = io.open('/dev/fd/4', 'wb')
channel:setvbuf('no')
local write = channel.write
write(channel, 'S')

-- What luaunit reported: nil before it has run a test, else whether all passed.
local tested, failed_only
-- Of the tests: the line before them, how many luaunit is to run, whether they themselves end one early or catch a
-- failure. Then what happened: the judge's statements reached, failures seen, tests that did not come to their end.
local main
local first_line, expected, may_end_early, may_catch = math.huge, 0, false, false
local marks, failures, cut_short = 0, 0, 0
-- Whether the tests are nothing without an assertion, and whether they came to one.
local asserts, reached = false, false

local function in_tests(level)
  local caller = getinfo(level + 1, 'Sl')
  return caller.source == '@' .. path and caller.currentline >= first_line
end

assert = function(value, ...)
  if (not value or not reached) and in_tests(2) then
    reached = true
    failures = failures + (value and 0 or 1)
  end
  return assert_function(value, ...)
end

local function counted(check)
  return function(...)
    local answer = table.pack(pcall(check, ...))
    if not answer[1] then
      failures = failures + 1
      error(answer[2], 0)
    end
    return table.unpack(answer, 2, answer.n)
  end
end

package.preload.luaunit = function(name)
  local file = assert(package.searchpath(name, package.path))
  local luaunit = assert(loadfile(file))(name, file)
  for key, value in pairs(luaunit) do
    if type(value) == 'function' and (key:find('^assert') or key:find('^fail')) then
      luaunit[key] = counted(value)
    end
  end
  local run_one, end_suite = luaunit.LuaUnit.protectedCall, luaunit.LuaUnit.endSuite
  luaunit.LuaUnit.protectedCall = function(suite, instance, method, ...)
    local returned = false
    local status = run_one(suite, instance, function(...)
      method(...)
      returned = true
    end, ...)
    if not returned and status.status ~= 'FAIL' and status.status ~= 'ERROR' then
      cut_short = cut_short + 1
    end
    return status
  end
  luaunit.LuaUnit.endSuite = function(suite, ...)
    local result = suite.result
    if result.runCount > 0 then
      local failed = #result.failedTests + #result.errorTests
      local swallowed = failures > #result.failedTests and not may_catch
      local left_out = result.runCount < expected or (cut_short > 0 and not may_end_early)
      tested = failed == 0 and (marks == 0 or not (swallowed or left_out))
      failed_only = #result.errorTests == 0 and not tested
    end
    return end_suite(suite, ...)
  end
  return luaunit
end

local function compiled()
  local chunk, message = loadfile(path)
  if not chunk then
    io.stderr:write('lua: ', message, '\n')
    write(channel, 'C')
    exit(1)
  end
  return chunk
end

main = compiled()
write(channel, 'R')

function flextune_mark(said, tests, options)
  local caller = getinfo(2, 'fl')
  if said ~= tag or caller.func ~= main then
    return
  end
  -- One before the tests, then one after them.
  marks = marks == (tests and 0 or 1) and marks + 1 or -1
  if tests then
    first_line = caller.currentline
    expected = tests
    may_end_early = options:find('e') ~= nil
    may_catch = options:find('c') ~= nil
    asserts = options:find('a') ~= nil
  end
end

-- Around the status of an exit that the tests have written: it is known before they leave.
_G['flextune_left_' .. tag] = function(...)
  local status = ...
  if marks == 1 and (status == nil or status == true or status == 0) then
    marks = 2
  end
  return ...
end

local function finish()
  if package.loaded.luaunit and tested == false then
    write(channel, failed_only and 'A' or 'E')
    exit(1)
  end
  if marks > 0 and package.loaded.luaunit == nil and failures > 0 and not may_catch then
    write(channel, 'A')
    exit(1)
  end
  if marks == 2 and asserts and not reached then
    io.stderr:write('no assertion of the tests was reached\n')
    write(channel, 'A')
    exit(1)
  end
  if marks == 2 and (tested or not package.loaded.luaunit) then
    write(channel, secret)
  end
end

os.exit = function(status, close)
  if status == nil or status == true or status == 0 then
    finish()
  else
    write(channel, failed_only and 'A' or 'E')
  end
  exit(status, close)
end

local function explain(reason)
  -- The function that raised: `assert` itself when an assertion failed.
  write(channel, getinfo(2, 'f').func == assert_function and 'A' or 'E')
  local trace = traceback(tostring(reason), 2):gsub("\n%s*%[C%]: in function 'xpcall'.*", '')
  io.stderr:write('lua: ', trace, '\n')
  return reason
end

arg = { [0] = path }
local passed, reason = xpcall(main, explain)
if not passed then
  if reason == 'not enough memory' then
    write(channel, 'M')
    io.stderr:write('lua: not enough memory\n')
  end
  exit(1)
end
finish()
