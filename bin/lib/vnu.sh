# The Nu HTML checker, which says whether pages are valid HTML, and the Java it runs on.

VNU_VERSION=26.9.27
VNU_SHA256=22f15dd39a33bed929d2a5c0cddf5946849a647eca9272bf4d5d00bc7e7a4d47

# Sets VNU to the checker's jar, or says why it is not to be had on this machine.
ensure_vnu() {
    VNU=$(portal_cache)/vnu-$VNU_VERSION/vnu.jar
    vnu_needs java default-jre-headless || return 1
    [ ! -f "$VNU" ] || return 0
    vnu_needs curl curl ca-certificates || return 1
    say "Fetching the HTML checker vnu $VNU_VERSION, once (30 MB)."
    work=$(portal_cache)/fetching.$$
    mkdir -p "$work" &&
        curl -sfL --retry 3 -o "$work/vnu.tgz" "$VNU_FROM/vnu-jar-$VNU_VERSION.tgz" &&
        tar -xzf "$work/vnu.tgz" -C "$work" --strip-components=3 package/build/dist/vnu.jar &&
        rm "$work/vnu.tgz" &&
        holds "$work/vnu.jar" "$VNU_SHA256" && keep "$work" "${VNU%/*}" && return 0
    rm -rf "$work"
    say "The HTML checker could not be fetched, or is not the one that is expected."
    return 1
}
VNU_FROM=https://registry.npmjs.org/vnu-jar/-

# vnu_needs PROGRAM PACKAGE…
vnu_needs() {
    program=$1
    shift
    ! have "$program" || return 0
    if is_root && have apt-get; then
        say "Installing $* for the HTML checker."
        (apt_install "$@") && return 0
    fi
    say "The HTML checker needs $program: install $*."
    return 1
}

# html_is_valid FOLDER: every page in it. One complaint is left out: ARIA in HTML allows a button of any type
# to be a switch, and ours sends its form without a script; the checker knows it for type=button alone. Nothing
# else pleases everybody: it wants the type written down, axe allows no input of type submit to be a switch, and
# a checkbox would need a second button beside it wherever there is no script.
html_is_valid() {
    java -jar "$VNU" --Werror --skip-non-html \
        --filterpattern '.*Bad value .submit. for attribute .type. on element .button.*' "$1" || return 1
    say "vnu: $(find "$1" -name '*.html' | wc -l) pages are valid HTML."
}
