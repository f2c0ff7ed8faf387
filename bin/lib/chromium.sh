# The browser of the browser tests, and what drives it.

ensure_chromium() {
    [ -z "${CHROMEDRIVER:-}" ] || return 0
    if have chromedriver && { have chromium || have google-chrome; }; then
        return 0
    fi
    kept=$(portal_cache)/chromium
    if [ ! -x "$kept/bin/chromedriver" ]; then
        have apt-get ||
            fail "The browser tests need Chromium and ChromeDriver: install them, or set CHROMEDRIVER."
        if is_root; then
            say "Installing Chromium (apt-get install chromium chromium-driver)."
            apt_install chromium chromium-driver fonts-liberation
            return 0
        fi
        say "Fetching Chromium from this machine's Debian archive, once (100 MB or more); nothing is installed."
        fetch_chromium "$kept" ||
            fail "Chromium could not be fetched. Have chromium and chromium-driver installed."
    fi
    export CHROMEDRIVER="$kept/bin/chromedriver" CHROMIUM="$kept/bin/chromium"
}

fetch_chromium() (
    final=$1
    work=$(portal_cache)/fetching.$$
    trap 'rm -rf "$work"' EXIT
    debian_lists || exit 1
    packages=$(debian_missing chromium chromium-driver fonts-liberation)
    [ -n "$packages" ] || exit 1
    # shellcheck disable=SC2086 # a list of packages
    debian_unpack "$work" $packages || exit 1
    mkdir -p "$work/bin" "$work/etc/fonts"
    cat >"$work/etc/fonts/portal.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$final/usr/share/fonts</dir><dir>/usr/share/fonts</dir></fontconfig>
FONTS
    paths=$(debian_libraries "$work" | sed "s,$work,$final,g")
    wrap "$work/bin/chromedriver" "$paths" "$final/usr/bin/chromedriver"
    wrap "$work/bin/chromium" "$paths" env "FONTCONFIG_FILE=$final/etc/fonts/portal.conf" \
        "$final/usr/lib/chromium/chromium"
    keep "$work" "$final"
)
