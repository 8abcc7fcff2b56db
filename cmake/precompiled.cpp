// A target needs a source before it can have a precompiled header, which is all that this one is for.
