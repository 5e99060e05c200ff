-- One workload for wrk, told by the environment:
--   METHOD, URL_PATH and BODY, in which {user} becomes the name of some user, {number} its six digits, {new} a
--   name never used before, and {op} add and remove in turn, so that each removal meets what was added before.
local method = os.getenv("METHOD") or "GET"
local path = os.getenv("URL_PATH")
local body = os.getenv("BODY")
local users = tonumber(os.getenv("USERS"))
local run = os.getenv("RUN")
local count = 0

wrk.headers["Authorization"] = os.getenv("AUTHORIZATION")
if body then wrk.headers["Content-Type"] = "application/scim+json" end

function init(args)
  math.randomseed(42)
end

local function fill(text)
  local number = string.format("%06d", math.random(0, users - 1))
  text = text:gsub("{user}", "user-" .. number)
  text = text:gsub("{number}", number)
  text = text:gsub("{new}", string.format("new-%s-%d", run, count))
  return (text:gsub("{op}", count % 2 == 0 and "remove" or "add"))
end

function request()
  count = count + 1
  return wrk.format(method, fill(path), nil, body and fill(body))
end
