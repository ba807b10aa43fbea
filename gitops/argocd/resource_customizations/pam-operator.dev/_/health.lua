-- The health of PamCredential, PamConnection and ClusterPamConnection: kstatus with the messages of the operator.
-- Argo CD opens neither string nor math for this script.

local function health(status, condition, otherwise)
  local message = otherwise
  if condition ~= nil and condition.message ~= nil then
    message = condition.message
  end
  return { status = status, message = message }
end

local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" or condition.type == "Ready" then
    conditions[condition.type] = condition
  end
end
local ready = conditions.Ready

if obj.metadata.deletionTimestamp ~= nil then
  -- What Ready said before the deletion is of no interest; why the deletion does not come to its end is.
  if ready ~= nil and ready.reason ~= "DeactivationFailed" then
    ready = nil
  end
  return health("Progressing", ready, "Pending deletion")
end

-- Conditions of an older generation speak of what Git does not say any more.
if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", nil, "Waiting for the operator to see this generation")
end

-- A person must act: a sync shall fail here rather than wait.
if conditions.Stalled ~= nil then
  return health("Degraded", conditions.Stalled, "Stalled")
end
if conditions.Reconciling ~= nil then
  return health("Progressing", conditions.Reconciling, "Reconciling")
end
if ready == nil then
  return health("Progressing", nil, "Waiting for the operator")
end

if ready.status == "True" then
  -- Suspended with nothing to send is Healthy: the PAM has what Git says, and Suspended would hold up every later sync wave
  -- until somebody resumes it. The message says that it is suspended.
  local result = health("Healthy", ready, "Ready")
  -- So is a difference that somebody made in the PAM: no sync can mend it, and driftPolicy says what is to be done.
  if conditions.Drifted ~= nil then
    result.message = result.message .. "; drifted: " .. conditions.Drifted.message
  end
  return result
end

-- Not ready because it is suspended: a change waits for the resumption, and so do the sync waves behind it.
if ready.reason == "Suspended" then
  return health("Suspended", ready, "Suspended")
end
return health("Progressing", ready, "Not ready")
