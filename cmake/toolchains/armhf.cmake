# Debian's cross compiler and its multiarch libraries (crossbuild-essential-armhf, lib*-dev:armhf); tests run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/arm-linux-gnueabihf/pkgconfig:/usr/share/pkgconfig)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static)
# Notes on a change of the ABI in g++ 7.1, long before this project.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
