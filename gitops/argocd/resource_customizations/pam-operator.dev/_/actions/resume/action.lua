-- Goes on. False rather than absent: it equals Git both where Git says false and where Git does not say anything.

obj.spec.suspend = false

return obj
