-- What can be done with an object now. While it is being deleted, nothing of this has an effect.

local deleting = obj.metadata.deletionTimestamp ~= nil
local suspended = obj.spec.suspend == true
local actions = {}

actions["suspend"] = {
  ["disabled"] = deleting or suspended,
  ["iconClass"] = "fa fa-fw fa-pause",
}
actions["resume"] = {
  ["disabled"] = deleting or not suspended,
  ["iconClass"] = "fa fa-fw fa-play",
}
-- Connections look at the annotation no more than suspended credentials do.
if obj.kind == "PamCredential" then
  actions["reconcile"] = {
    ["disabled"] = deleting or suspended,
    ["iconClass"] = "fa fa-fw fa-sync",
  }
end

return actions
