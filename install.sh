#!/usr/bin/env bash
# Install Tidebook: build the kernel, give it a JupyterLab of its own in .venv, execute the first lesson;
# then build what Rust cells need. Can be run again at any time, also after it was interrupted: what is
# done already is skipped.

set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'TEXT'
usage: ./install.sh [--no-notebooks] [--pyspark]

  --no-notebooks   do not execute the first lesson
  --pyspark        also what cells of Python need (%%pyspark): PySpark's client, pandas and pyarrow; no Java

Settings, from the environment:
  PYTHON            the Python to make .venv with (default: python3; 3.11 or newer)
  CARGO_TARGET_DIR  where cargo builds (default: target)
TEXT
}

run_notebooks=yes
with_pyspark=no
for argument in "$@"; do
    case "$argument" in
    --no-notebooks) run_notebooks=no ;;
    --pyspark) with_pyspark=yes ;;
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
progress=$venv/bin/tidebook-rust.progress
executed=notebooks/.executed
steps=6
pip=
step=0
doing="start"
started=$SECONDS

main() {
    trap failed ERR
    trap end_pip EXIT
    begin "System packages (the first time half a minute)"
    system_packages
    chinese_font
    rust_toolchain
    python_version

    begin "Kernel, and JupyterLab in $venv meanwhile (the first time 15 to 25 minutes on 2 cores, later seconds)"
    set -m
    (trap - ERR EXIT && jupyterlab) &
    pip=$!
    set +m
    # With the features of the whole workspace, so that nothing is built twice.
    cargo build --release --locked --workspace --bin tidebook

    begin "Kernelspec (seconds, if JupyterLab is there)"
    wait "$pip" || give_up "JupyterLab could not be installed; the message above says why"
    pip=
    kernelspec

    begin "Notebooks (the first time half a minute)"
    "$python" notebooks/data/make_departures.py --touch
    "$python" notebooks/data/make_shop.py --touch
    if [[ $run_notebooks == yes ]]; then
        notebooks
        printf '\nThe first chart is there (%s s). In this folder:\n' "$((SECONDS - started))"
        printf '  open it:             %s\n' "$executed"/*.html
        printf '  open JupyterLab:     %s\n\n' "$venv/bin/jupyter lab notebooks/"
    else
        note "not executed (--no-notebooks)"
    fi

    begin "Compiler of the Rust cells (the first time 4 to 7 minutes, later seconds; all magics work meanwhile)"
    rust_source
    compiler

    begin "Rust cells (the first time a minute: what they need is built)"
    rust_cells

    printf '\nTidebook is installed (%s s).\n' "$((SECONDS - started))"
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

end_pip() {
    [[ -z $pip ]] || kill -- -"$pip" 2>/dev/null || true
}

# Say what is missing and what to do about it, then stop.
give_up() {
    trap - ERR
    printf '\ninstall.sh: %s\n' "$1" >&2
    exit 1
}

system_packages() {
    local missing=()
    # librdkafka, Kafka's client in C, is built with make and both compilers, and speaks TLS by OpenSSL.
    { have cc && have c++ && have make; } || missing+=(build-essential)
    have mold || missing+=(mold)
    have protoc || missing+=(protobuf-compiler)
    protobuf_includes || missing+=(libprotobuf-dev)
    have pkg-config || missing+=(pkg-config)
    pkg-config --exists openssl 2>/dev/null || missing+=(libssl-dev)
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

# Charts have a typeface of their own, but no Chinese one.
chinese_font() {
    local command="apt-get install -y fonts-wqy-zenhei"
    has_chinese_font && return
    if have apt-get && { [[ $EUID -eq 0 ]] || { have sudo && sudo -n true 2>/dev/null; }; }; then
        apt_install fonts-wqy-zenhei && return
    fi
    note "without a Chinese font, charts show boxes for Chinese text. On Debian, as root:  $command"
}

# There are many more; a second one does no harm.
has_chinese_font() {
    [[ -n $(find /usr/share/fonts /usr/local/share/fonts ~/.fonts ~/.local/share/fonts \
        \( -iname '*cjk*' -o -iname 'wqy*' -o -iname '*fallback*' -o -iname 'ukai*' -o -iname 'uming*' \) -print -quit 2>/dev/null || true) ]]
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
    packages notebooks/requirements.txt "$venv/.requirements"
    [[ $with_pyspark == no ]] || packages notebooks/pyspark/requirements.txt "$venv/.requirements-pyspark"
}

packages() {
    local requirements=$1 stamp=$2
    if cmp -s "$requirements" "$stamp" && has_pip; then
        note "up to date"
        return
    fi
    has_pip || "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --progress-bar off -r "$requirements"
    cp "$requirements" "$stamp"
}

has_pip() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

# The programs get a place in the venv, so that they stay when cargo's folder is cleaned.
kernelspec() {
    # Until its compiler is there a Rust cell tells how far it is: the kernel reads this file, which is
    # locked as long as we run.
    exec 9>"$progress"
    flock 9
    printf 'not begun\n' >&9
    # A compiler of another version does not understand the kernel.
    is_placed tidebook || rm -f "$venv/bin/tidebook-rust"
    place tidebook
    "$venv/bin/tidebook" install --prefix "$PWD/$venv"
}

# Moved into its place whole: a program that runs goes on, and no half of one is ever there.
place() {
    is_placed "$1" && return
    install -m 755 "$(built "$1")" "$venv/bin/$1.new"
    mv "$venv/bin/$1.new" "$venv/bin/$1"
}

is_placed() {
    cmp -s "$(built "$1")" "$venv/bin/$1"
}

built() {
    printf '%s/release/%s\n' "$(target_directory)" "$1"
}

target_directory() {
    cargo metadata --no-deps --offline --format-version 1 |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

compiler() {
    local crates
    crates=$(cargo tree --locked --package tidebook-rust --edges normal,build --prefix none |
        cut -d ' ' -f 1,2 | sort -u | wc -l)
    cargo build --release --locked --workspace --bin tidebook-rust --message-format json-render-diagnostics |
        "$python" -c "$count_crates" "$progress" "$crates"
    place tidebook-rust
    rm -f "$progress"
}

# cargo names every crate of the build once it is there.
count_crates='
import json, sys
progress, crates = sys.argv[1], int(sys.argv[2])
built = set()
for line in sys.stdin:
    message = json.loads(line)
    if message["reason"] == "compiler-artifact":
        built.add(message["package_id"])
        with open(progress, "w") as file:
            file.write(f"{len(built)} of {max(crates, len(built))} crates\n")
'

notebooks() {
    mkdir -p "$executed"
    local notebook name
    for notebook in notebooks/01-*.ipynb; do
        name=$(basename "$notebook" .ipynb)
        if up_to_date "$executed/$name.html" "$notebook"; then
            note "$name: up to date"
            continue
        fi
        note "$name: executing"
        rm -f "$executed/$name.ipynb" "$executed/$name.html"
        # What an earlier run of the lesson wrote: its queries begin anew, and their outputs with them.
        rm -rf notebooks/out
        convert --to notebook --execute "$notebook" --output-dir "$executed" --output "$name"
        convert --to html "$executed/$name.ipynb" --output-dir "$executed" --output "$name"
    done
}

up_to_date() {
    [[ $1 -nt $2 && $1 -nt $venv/bin/tidebook && $1 -nt notebooks/data/departures ]]
}

convert() {
    "$venv/bin/jupyter" nbconvert --log-level WARN "$@"
}

main
