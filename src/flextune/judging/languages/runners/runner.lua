-- Runs one Lua program and tells, over descriptor 4, how far it came.
--
-- Its last line, which is the judge's, calls flextune_end: what leaves the main chunk before does not get there.
-- Programs that end in luaunit's `os.exit(lu.LuaUnit.run())` never do: that exit counts where it is the program's
-- last line and luaunit has reported success.
local path = arg[1]
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

package.preload.luaunit = function(name)
  local file = assert(package.searchpath(name, package.path))
  local luaunit = assert(loadfile(file))(name, file)
  local end_suite = luaunit.LuaUnit.endSuite
  luaunit.LuaUnit.endSuite = function(suite, ...)
    local result = suite.result
    if result.runCount > 0 then
      tested = #result.failedTests + #result.errorTests == 0
      failed_only = #result.errorTests == 0 and not tested
    end
    return end_suite(suite, ...)
  end
  return luaunit
end

local function compiled()
  local file = io.open(path, 'rb')
  local source = file:read('a')
  file:close()
  local lines = select(2, source:gsub('\n', ''))
  local chunk = loadfile(path)
  if chunk then
    return chunk, lines
  end
  -- Nothing may follow a program's last `return`.
  local message
  chunk, message = load(source:gsub('[^\n]*\n$', ''):gsub('^#[^\n]*', ''), '@' .. path)
  return chunk, nil, message
end

local main, end_line, message = compiled()
if not main then
  io.stderr:write('lua: ', message, '\n')
  write(channel, 'C')
  exit(1)
end
write(channel, 'R')

local last_line = 0
for line in pairs(getinfo(main, 'L').activelines) do
  if line ~= end_line and line > last_line then
    last_line = line
  end
end

local ended = end_line == nil
function flextune_end()
  local caller = getinfo(2, 'fl')
  ended = caller.func == main and caller.currentline == end_line
end

local function exits_from_last_line()
  local caller = getinfo(3, 'flS')
  -- luaunit puts a function of its own around os.exit.
  if caller and caller.source:find('luaunit.lua', 1, true) then
    caller = getinfo(4, 'flS')
  end
  return caller and caller.func == main and caller.currentline >= last_line
end

local function finish(came_to_its_end)
  if package.loaded.luaunit and tested == false then
    write(channel, failed_only and 'A' or 'E')
    exit(1)
  end
  if came_to_its_end and (tested or not package.loaded.luaunit) then
    write(channel, secret)
  end
end

os.exit = function(status, close)
  if status == nil or status == true or status == 0 then
    finish(exits_from_last_line())
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
finish(ended)
