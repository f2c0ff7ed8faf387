# The Nu HTML checker, which says whether pages are valid HTML, and the Java it runs on.

VNU_VERSION=26.9.27
VNU_SHA256=22f15dd39a33bed929d2a5c0cddf5946849a647eca9272bf4d5d00bc7e7a4d47

# Sets VNU to the checker's jar.
ensure_vnu() {
    if ! have java; then
        is_root && have apt-get || fail "The HTML checker needs Java: install default-jre-headless."
        say "Installing Java for the HTML checker (apt-get install default-jre-headless)."
        apt_install default-jre-headless
    fi
    VNU=$(portal_cache)/vnu-$VNU_VERSION/vnu.jar
    [ ! -f "$VNU" ] || return 0
    have npm || fail "The HTML checker comes by npm, and npm is not in PATH: install it."
    say "Fetching the HTML checker vnu $VNU_VERSION, once (30 MB)."
    work=$(portal_cache)/fetching.$$
    mkdir -p "$work" &&
        (cd "$work" && npm pack --silent "vnu-jar@$VNU_VERSION" >/dev/null &&
            tar -xzf vnu-jar-*.tgz --strip-components=3 package/build/dist/vnu.jar && rm ./*.tgz) &&
        holds "$work/vnu.jar" "$VNU_SHA256" && keep "$work" "${VNU%/*}" && return 0
    rm -rf "$work"
    fail "The HTML checker could not be fetched, or is not the one that is expected."
}

# html_is_valid FOLDER: every page in it. One complaint is left out: ARIA in HTML allows a button of any type
# to be a switch, and ours sends its form without a script; the checker knows it for type=button alone.
html_is_valid() {
    java -jar "$VNU" --Werror --skip-non-html \
        --filterpattern '.*Bad value .submit. for attribute .type. on element .button.*' "$1" || return 1
    say "vnu: $(find "$1" -name '*.html' | wc -l) pages are valid HTML."
}
