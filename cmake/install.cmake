# Where everything goes. The programs follow CMAKE_INSTALL_PREFIX. What systemd and udev read is where they look for it,
# unless the prefix is a place of somebody's own (neither /usr nor /usr/local): then it is below that prefix, too.

# qimux_directory(VARIABLE DEFAULT [PACKAGE PKG-CONFIG-VARIABLE]): pkg-config knows better than the default where it knows.
function(qimux_directory variable directory)
  if(ARGC EQUAL 4)
    pkg_get_variable(asked ${ARGV2} ${ARGV3})
    if(asked)
      set(directory ${asked})
    endif()
  endif()
  if(NOT CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
    string(REGEX REPLACE "^/+" "" directory ${directory})
  endif()
  set(${variable} ${directory} CACHE STRING "Destination of installed files")
endfunction()

qimux_directory(QIMUX_UNIT_DIR /lib/systemd/system systemd systemdsystemunitdir)
qimux_directory(QIMUX_SYSUSERS_DIR /usr/lib/sysusers.d systemd sysusersdir)
qimux_directory(QIMUX_TMPFILES_DIR /usr/lib/tmpfiles.d systemd tmpfilesdir)
qimux_directory(QIMUX_UDEV_DIR /lib/udev udev udevdir)
qimux_directory(QIMUX_NETWORKD_DIR /usr/lib/systemd/network)
qimux_directory(QIMUX_NETWORKMANAGER_DIR /usr/lib/NetworkManager/conf.d)
set(QIMUX_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions CACHE STRING "Destination of zsh's completion")
set(completions ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# A unit names its program by the whole path.
file(GLOB units CONFIGURE_DEPENDS systemd/*.service systemd/*.path)
foreach(unit ${units})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${unit})
  file(READ ${unit} text)
  string(REPLACE "/usr/sbin/" "${CMAKE_INSTALL_FULL_SBINDIR}/" text "${text}")
  string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_FULL_BINDIR}/" text "${text}")
  get_filename_component(name ${unit} NAME)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/systemd/${name} CONTENT "${text}")
  install(FILES ${PROJECT_BINARY_DIR}/systemd/${name} DESTINATION ${QIMUX_UNIT_DIR})
endforeach()
install(FILES systemd/qimuxd.sysusers DESTINATION ${QIMUX_SYSUSERS_DIR} RENAME qimuxd.conf)
install(FILES systemd/qimuxd.tmpfiles DESTINATION ${QIMUX_TMPFILES_DIR} RENAME qimuxd.conf)

file(GLOB rules CONFIGURE_DEPENDS udev/*.rules)
install(FILES ${rules} DESTINATION ${QIMUX_UDEV_DIR}/rules.d)
file(GLOB networks CONFIGURE_DEPENDS network/*.network)
install(FILES ${networks} DESTINATION ${QIMUX_NETWORKD_DIR})
file(GLOB managed CONFIGURE_DEPENDS network/*.conf)
install(FILES ${managed} DESTINATION ${QIMUX_NETWORKMANAGER_DIR})

install(FILES completions/qimuxctl.bash DESTINATION ${completions} RENAME qimuxctl)
install(FILES completions/_qimuxctl DESTINATION ${QIMUX_ZSH_DIR})
foreach(section 1 5 7 8)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

install(FILES README.md ARCHITECTURE.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES udev/60-qimuxd-local.rules.example DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples RENAME 60-qimuxd-local.rules)
# The daemon looks in /etc only. The file will have a PIN in it; one that is there is the administrator's.
qimux_directory(QIMUX_CONFIG_DIR /etc/qimuxd)
cmake_path(ABSOLUTE_PATH QIMUX_CONFIG_DIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE configuration)
install(CODE "
  if(NOT EXISTS \"\$ENV{DESTDIR}${configuration}/qimuxd.toml\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/examples/qimuxd.toml\" DESTINATION \"${configuration}\"
         PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
  endif()")
