"""Serial ports as sysfs shows them, in umockdev's notation."""

DRIVERS = {"0403": "ftdi_sio", "10c4": "cp210x", "1a86": "ch341", "067b": "pl2303"}


def usb(kernel="ttyUSB0", place="1-1.2:1.0", vendor="0403", product="6001", serial=None):
    """A USB serial adapter's port: (sysfs path, description)."""
    hub = f"/devices/platform/soc/usb1/1-1/{place.split(':')[0]}"
    port = f"{hub}/{place}/{kernel}"
    tty = f"{port}/tty/{kernel}"
    driver = DRIVERS.get(vendor, "usbserial")
    text = f"""P: {tty}
N: {kernel}
E: DEVNAME=/dev/{kernel}
E: MAJOR=188
E: MINOR=0
E: SUBSYSTEM=tty
L: device=../../../{kernel}

P: {port}
E: SUBSYSTEM=usb-serial
E: DRIVER={driver}
A: latency_timer=16\\n
A: port_number=0\\n

P: {hub}/{place}
E: SUBSYSTEM=usb
E: DEVTYPE=usb_interface
E: DRIVER={driver}
A: bInterfaceNumber=00\\n

P: {hub}
E: SUBSYSTEM=usb
E: DEVTYPE=usb_device
E: DRIVER=usb
A: idVendor={vendor}\\n
A: idProduct={product}\\n
"""
    return tty, text + (f"A: serial={serial}\\n\n" if serial else "\n")


def uart(kernel):
    """A port on the board."""
    tty = f"/devices/platform/soc/serial/tty/{kernel}"
    return tty, f"""P: {tty}
N: {kernel}
E: DEVNAME=/dev/{kernel}
E: MAJOR=4
E: MINOR=64
E: SUBSYSTEM=tty
L: device=../../../serial

P: /devices/platform/soc/serial
E: SUBSYSTEM=platform
E: DRIVER=serial
"""
