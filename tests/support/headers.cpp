// What the precompiled headers of the unit tests are compiled with.
