-- luajit busy.lua SECONDS: traces that are compiled again and again, calls back from C, and a program at times.
local ffi = require("ffi")
ffi.cdef([[
  void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));
]])

local comparison = ffi.typeof("int (*)(const void *, const void *)")
local number = ffi.typeof("const int *")

local function compute(turn)
  local sum = 0
  local code = "local n, sum = ..., %d for i = 1, n do sum = sum + i %% %d end return sum"
  local fresh = loadstring(code:format(turn, turn % 7 + 2))
  for _ = 1, 50 do
    sum = sum + fresh(2000)
  end
  local numbers = ffi.new("int[64]")
  for at = 0, 63 do
    numbers[at] = (at * 7919 + turn) % 101
  end
  local compare = ffi.cast(comparison, function(a, b)
    return ffi.cast(number, a)[0] - ffi.cast(number, b)[0]
  end)
  ffi.C.qsort(numbers, 64, 4, compare)
  compare:free()
  assert(numbers[0] <= numbers[63])
  return sum
end

local finish, turn = os.time() + tonumber(arg[1]), 0
while os.time() < finish do
  compute(turn)
  if turn % 500 == 0 then
    io.popen("true"):close()
  end
  turn = turn + 1
end
print(turn)
