# Makes the world in which systemd is process 1, and becomes it. Run in namespaces of its own by systemd.ts.
# $1: an empty folder; $2: a list of paths, one a line, that must be seen as they are here.
set -e
mount -t tmpfs -o size=64m lab "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
for path in $2; do
  mkdir -p ".$path"
  mount --bind -o ro "$path" ".$path"
done
mount -t proc proc proc
# Kernel parameters are those of this machine.
mount --bind -o ro proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
# Version 2 alone, in which its own group is the root: the groups of this machine are not to be seen.
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs run run
mount -t tmpfs dev dev
for device in null zero full random urandom; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
# As in other containers; without it systemd gives no unit a /dev of its own (PrivateDevices=).
ln -s pts/ptmx dev/ptmx
rm -rf etc/systemd/system
mkdir -p etc/systemd/system/dbus.service.d etc/systemd/system/dbus.socket.d
cat > etc/systemd/system/lab.target <<UNIT
[Unit]
DefaultDependencies=no
Requires=dbus.socket
After=dbus.socket
UNIT
# Without these everything that starts a whole machine would be started first.
for unit in service socket; do
  printf '[Unit]\nDefaultDependencies=no\n' > "etc/systemd/system/dbus.$unit.d/lab.conf"
done
mkdir -p etc/systemd/system.conf.d
printf '[Manager]\nDefaultStandardOutput=null\nDefaultStandardError=null\n' > etc/systemd/system.conf.d/lab.conf
pivot_root . mnt
umount -l mnt
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=lab.target
