#!/usr/bin/env bash
# Install Tidebook: build the kernel, give it a JupyterLab of its own in .venv, run the notebooks once.
# Can be run again at any time: what is done already is skipped.

set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TEXT'
usage: ./install.sh [--no-notebooks]

  --no-notebooks   do not execute the notebooks at the end

Settings, from the environment:
  PYTHON            the Python to make .venv with (default: python3; 3.11 or newer)
  CARGO_TARGET_DIR  where cargo builds (default: target)
TEXT
}

run_notebooks=yes
for argument in "$@"; do
    case "$argument" in
    --no-notebooks) run_notebooks=no ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        echo "install.sh: unknown option '$argument'" >&2
        usage >&2
        exit 2
        ;;
    esac
done

python="${PYTHON:-python3}"
venv=.venv
executed=notebooks/.executed
steps=6
step=0
doing="start"
started=$SECONDS

main() {
    trap 'failed' ERR
    begin "System packages"
    system_packages
    rust_toolchain
    rust_source
    python_version

    begin "Kernel (the first build takes 20 to 30 minutes on 2 cores, later ones seconds)"
    cargo build --release --locked --workspace --bin tidebook

    begin "JupyterLab in $venv"
    jupyterlab

    begin "Kernelspec"
    kernelspec

    begin "Rust cells (the first time, what they need is built: about half a minute)"
    rust_cells

    begin "Notebooks"
    "$python" notebooks/data/make_departures.py --touch
    if [[ $run_notebooks == yes ]]; then
        notebooks
    else
        note "not executed (--no-notebooks)"
    fi

    printf '\nTidebook is installed (%s s).\n' "$((SECONDS - started))"
    if [[ $run_notebooks == yes ]]; then
        printf 'Executed notebook:   %s\n' "$PWD/$executed"/*.html
    fi
    printf 'Open JupyterLab:     %s\n' "$venv/bin/jupyter lab notebooks/"
}

begin() {
    step=$((step + 1))
    doing=$1
    printf '[%s/%s] %s  (%s s so far)\n' "$step" "$steps" "$1" "$((SECONDS - started))"
}

note() {
    printf '      %s\n' "$1"
}

failed() {
    printf '\ninstall.sh stopped at step %s of %s: %s. The message above says why;\n' "$step" "$steps" "$doing" >&2
    printf 'mend that and run it again, it goes on from there.\n' >&2
    exit 1
}

# Say what is missing and what to do about it, then stop.
give_up() {
    trap - ERR
    printf '\ninstall.sh: %s\n' "$1" >&2
    exit 1
}

system_packages() {
    local missing=()
    have cc || missing+=(build-essential)
    have mold || missing+=(mold)
    have protoc || missing+=(protobuf-compiler)
    protobuf_includes || missing+=(libprotobuf-dev)
    have "$python" || missing+=(python3)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    if [[ ${#missing[@]} -eq 0 ]]; then
        note "all there"
        return
    fi
    note "missing: ${missing[*]}"
    local command="apt-get update && apt-get install -y ${missing[*]}"
    if ! have apt-get; then
        give_up "please install these (Debian's names) with your system's package manager: ${missing[*]}"
    elif [[ $EUID -eq 0 ]]; then
        apt_install "${missing[@]}"
    elif have sudo && sudo -n true 2>/dev/null; then
        apt_install "${missing[@]}"
    else
        give_up "please run this as root, then ./install.sh again:  $command"
    fi
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# protoc's own .proto files come in a package of their own on Debian, beside the program elsewhere.
protobuf_includes() {
    have protoc || return 1
    local bin
    bin=$(dirname "$(readlink -f "$(command -v protoc)")")
    [[ -e /usr/include/google/protobuf/any.proto || -e $bin/../include/google/protobuf/any.proto ]]
}

apt_install() {
    local as_root=()
    [[ $EUID -eq 0 ]] || as_root=(sudo -n)
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
    "${as_root[@]}" update
    "${as_root[@]}" install -y --no-install-recommends "$@"
}

rust_toolchain() {
    have cargo || give_up "Rust is missing. Get it from https://rustup.rs, then run ./install.sh again"
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d' ' -f2)
    if [[ $(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1) != "$wanted" ]]; then
        give_up "Rust $wanted or newer is needed, this is $found. Run:  rustup update stable"
    fi
}

# Rust cells need the source of the standard library; everything else works without it.
rust_source() {
    std_source && return
    have rustup && timeout 600 rustup component add rust-src && return
    note "without the source of Rust's standard library, Rust cells do not run: rustup component add rust-src"
}

std_source() {
    [[ -e $(rustc --print sysroot)/lib/rustlib/src/rust/library/std/src/lib.rs ]]
}

rust_cells() {
    if std_source; then
        "$venv/bin/tidebook" warm
    else
        note "left out: the source of Rust's standard library is missing"
    fi
}

python_version() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        give_up "Python 3.11 or newer is needed, this is $("$python" --version). Set PYTHON to a newer one"
}

jupyterlab() {
    local requirements=notebooks/requirements.txt stamp=$venv/.requirements
    if cmp -s "$requirements" "$stamp" && "$venv/bin/python" -c '' 2>/dev/null; then
        note "up to date"
        return
    fi
    "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --progress-bar off -r "$requirements"
    cp "$requirements" "$stamp"
}

# The kernel gets a place in the venv, so that it stays when cargo's folder is cleaned.
kernelspec() {
    local built
    built=$(built_kernel)
    cmp -s "$built" "$venv/bin/tidebook" || install -m 755 "$built" "$venv/bin/tidebook"
    "$venv/bin/tidebook" install --prefix "$PWD/$venv"
}

built_kernel() {
    cargo metadata --no-deps --offline --format-version 1 |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"] + "/release/tidebook")'
}

notebooks() {
    mkdir -p "$executed"
    local notebook name
    for notebook in notebooks/[0-9]*.ipynb; do
        name=$(basename "$notebook" .ipynb)
        if up_to_date "$executed/$name.html" "$notebook"; then
            note "$name: up to date"
            continue
        fi
        note "$name: executing"
        rm -f "$executed/$name.ipynb" "$executed/$name.html"
        convert --to notebook --execute "$notebook" --output-dir "$executed" --output "$name"
        convert --to html "$executed/$name.ipynb" --output-dir "$executed" --output "$name"
        note "$name: $executed/$name.html"
    done
}

up_to_date() {
    [[ $1 -nt $2 && $1 -nt $venv/bin/tidebook && $1 -nt notebooks/data/departures ]]
}

convert() {
    "$venv/bin/jupyter" nbconvert --log-level WARN "$@"
}

main
