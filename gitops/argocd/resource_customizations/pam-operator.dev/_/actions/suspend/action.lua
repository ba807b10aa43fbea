-- Stops all calls to the PAM but those of deletions.

obj.spec.suspend = true

return obj
