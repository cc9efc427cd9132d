# Yocto 4.2 (mickledore) and later, for its g++ 12 and CMake 3.25; put it into recipes-connectivity/qimuxd of a layer,
# with meta-oe and meta-networking beside it. See packaging/README.md for what was tried.
SUMMARY = "GSM module's own TCP/IP stack as a network interface"
DESCRIPTION = "Shares the six sockets of a Quectel GSM module among all programs, as a TUN device."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=511c1e48428377fcd2c9e5147c4eea42"

SRC_URI = "file://${BP}.tar.gz"

DEPENDS = "cli11 fmt libmnl libserialport libuv nlohmann-json tomlplusplus"

inherit cmake pkgconfig systemd useradd

PACKAGECONFIG ??= "gpiod ${@bb.utils.filter('DISTRO_FEATURES', 'systemd', d)}"
PACKAGECONFIG[gpiod] = "-DQIMUX_GPIOD=ON,-DQIMUX_GPIOD=OFF,libgpiod"
PACKAGECONFIG[systemd] = "-DQIMUX_SYSTEMD=ON,-DQIMUX_SYSTEMD=OFF,systemd"

EXTRA_OECMAKE = " \
    -DQIMUX_TESTS=OFF \
    -DQIMUX_UNIT_DIR=${systemd_system_unitdir} \
    -DQIMUX_UDEV_DIR=${nonarch_base_libdir}/udev \
"

PACKAGES =+ "qimux-sim"

SYSTEMD_SERVICE:${PN} = "qimuxd.service"
# udev starts it with the module.
SYSTEMD_AUTO_ENABLE:${PN} = "disable"

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system qimux"
USERADD_PARAM:${PN} = "--system --home-dir /var/lib/qimuxd --no-create-home --shell /sbin/nologin --user-group --groups dialout,qimux qimuxd"

do_install:append() {
    chown root:qimuxd ${D}${sysconfdir}/qimuxd/qimuxd.toml
    chmod 0640 ${D}${sysconfdir}/qimuxd/qimuxd.toml
}

FILES:qimux-sim = "${bindir}/qimux-sim"
FILES:${PN} += " \
    ${systemd_system_unitdir} \
    ${nonarch_base_libdir}/udev \
    ${nonarch_libdir}/sysusers.d ${nonarch_libdir}/tmpfiles.d ${nonarch_libdir}/systemd/network ${nonarch_libdir}/NetworkManager \
    ${datadir}/bash-completion ${datadir}/zsh \
"
CONFFILES:${PN} = "${sysconfdir}/qimuxd/qimuxd.toml"
RRECOMMENDS:${PN} = "kernel-module-tun kernel-module-usbserial kernel-module-ftdi-sio kernel-module-cp210x"
