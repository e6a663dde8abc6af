# What contrib/run and contrib/check share: where to build, and building. Sourced, with $top set.

jobs=${JOBS:-2}

# As root the daemon becomes the user nobody: whether that user can reach the path.
reachable() {
	[ "$(id -u)" -ne 0 ] || setpriv --reuid=nobody --regid=nogroup --clear-groups \
	    test -r "$1" -a -x "$1"
}

# The folder for a build: below the tree, or, where the daemon's user cannot reach that, elsewhere: the
# same one each time, as long as it is there and ours.
place() {
	mkdir -p "$top/build"
	if reachable "$top/build"; then
		mkdir -p "$top/build/$1"
		echo "$top/build/$1"
	else
		d=$(cat "$top/build/$1.place" 2>/dev/null || :)
		[ -n "$d" ] && [ -d "$d" ] && [ ! -L "$d" ] && [ -O "$d" ] || {
			d=$(mktemp -d "${TMPDIR:-/tmp}/courant-$1.XXXXXX") || return
			chmod 755 "$d"
			echo "$d" >"$top/build/$1.place"
		}
		echo "$d"
	fi
}

# configure, where it is missing or older than what it is made of.
bootstrap() {
	if [ ! -f "$top/configure" ] || [ ! -f "$top/Makefile.in" ] || [ -n "$(find \
	    "$top/configure.ac" "$top/Makefile.am" "$top/plugins/plugins.am" \
	    -newer "$top/Makefile.in")" ]; then
		(cd "$top" && autoreconf -i)
	fi
}

# build FOLDER TARGETS [CONFIGURE ARGUMENTS]: out of the tree; configures once for the same arguments.
build() {
	dir=$1 targets=$2
	shift 2
	mkdir -p "$dir"
	bootstrap || return 1
	if [ ! -f "$dir/Makefile" ] || [ "$top/configure" -nt "$dir/config.status" ] ||
	    [ "$*" != "$(cat "$dir/configured" 2>/dev/null)" ]; then
		rm -f "$dir/configured"
		(cd "$dir" && "$top/configure" "$@") || return 1
		echo "$*" >"$dir/configured"
	fi
	make -C "$dir" -j"$jobs" $targets
}
