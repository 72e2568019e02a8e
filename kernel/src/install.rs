//! `tidebook install`: writes the kernelspec, so that Jupyter lists and starts this kernel.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// The folder of the kernelspec, and the name by which notebooks refer to it.
pub(crate) const NAME: &str = "tidebook";

const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-32x32.png", include_bytes!("../assets/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../assets/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("../assets/logo-svg.svg")),
];

/// Where the kernelspec goes.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Where {
    /// For this user, in every environment (the default).
    #[arg(long)]
    user: bool,
    /// Into the active Python environment.
    #[arg(long)]
    sys_prefix: bool,
    /// Into PREFIX/share/jupyter/kernels.
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<PathBuf>,
}

/// Writes the kernelspec; gives one sentence on where it is.
pub(crate) fn install(place: &Where) -> anyhow::Result<String> {
    let folder = kernels_folder(place)?.join(NAME);
    let shown = folder.display();
    std::fs::create_dir_all(&folder).with_context(|| format!("create folder '{shown}'"))?;
    let spec = serde_json::to_vec_pretty(&kernelspec(&binary()?)?)?;
    let files = LOGOS.into_iter().chain([("kernel.json", spec.as_slice())]);
    for (name, content) in files {
        std::fs::write(folder.join(name), content)
            .with_context(|| format!("write '{name}' into '{shown}'"))?;
    }
    Ok(format!("installed kernelspec '{NAME}' in '{shown}'"))
}

/// What Jupyter reads. The path of the binary is absolute, so no environment needs to be active.
fn kernelspec(binary: &Path) -> anyhow::Result<Value> {
    let binary = binary
        .to_str()
        .with_context(|| format!("'{}' is not valid UTF-8", binary.display()))?;
    Ok(json!({
        "argv": [binary, "kernel", "-f", "{connection_file}"],
        "display_name": "Tidebook",
        "language": "rust",
        "interrupt_mode": "message",
        "kernel_protocol_version": "5.5",
        "metadata": {"debugger": false},
    }))
}

fn kernels_folder(place: &Where) -> anyhow::Result<PathBuf> {
    let prefix = match (&place.prefix, place.sys_prefix) {
        (Some(prefix), _) => std::path::absolute(prefix)
            .with_context(|| format!("find folder '{}'", prefix.display()))?,
        (None, true) => sys_prefix()?,
        (None, false) => return Ok(user_data_dir()?.join("kernels")),
    };
    Ok(prefix.join("share").join("jupyter").join("kernels"))
}

/// Where Jupyter keeps what belongs to the user.
pub(crate) fn user_data_dir() -> anyhow::Result<PathBuf> {
    match env::var_os("JUPYTER_DATA_DIR") {
        Some(folder) if !folder.is_empty() => Ok(PathBuf::from(folder)),
        _ => {
            jupyter_zmq_client::user_data_dir().context("find the user's Jupyter folder: set HOME")
        }
    }
}

/// The root of the active Python environment.
pub(crate) fn sys_prefix() -> anyhow::Result<PathBuf> {
    if let Some(venv) = env::var_os("VIRTUAL_ENV").filter(|venv| !venv.is_empty()) {
        return Ok(PathBuf::from(venv));
    }
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .context("run 'python3' to find its environment; activate one, or use --user")?;
    let prefix = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || prefix.is_empty() {
        bail!("'python3' does not tell its environment; activate one, or use --user");
    }
    Ok(PathBuf::from(prefix))
}

/// This program as it was called: absolute, but with its links kept, so that a kernelspec still
/// works after the target of a link was replaced by a newer version.
fn binary() -> anyhow::Result<PathBuf> {
    let called = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let is_path = called.components().count() > 1;
    let found = match is_path {
        true => std::path::absolute(&called)
            .ok()
            .filter(|path| path.is_file()),
        false => called.file_name().and_then(on_path),
    };
    match found {
        Some(path) => Ok(path),
        None => env::current_exe().context("find the path of this program"),
    }
}

/// The first program of this name on `PATH`.
pub(crate) fn on_path(name: &OsStr) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_gets_spec_and_logos() {
        let folder = tempfile::tempdir().unwrap();
        let place = Where {
            user: false,
            sys_prefix: false,
            prefix: Some(folder.path().to_owned()),
        };
        install(&place).unwrap();
        let spec = folder.path().join("share/jupyter/kernels/tidebook");
        let json: Value =
            serde_json::from_slice(&std::fs::read(spec.join("kernel.json")).unwrap()).unwrap();
        assert_eq!(json["interrupt_mode"], "message");
        assert!(Path::new(json["argv"][0].as_str().unwrap()).is_absolute());
        assert_eq!(json["argv"][3], "{connection_file}");
        assert!(spec.join("logo-64x64.png").is_file());
    }

    #[test]
    fn a_prefix_that_is_a_file_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let place = Where {
            user: false,
            sys_prefix: false,
            prefix: Some(file.path().to_owned()),
        };
        let error = format!("{:#}", install(&place).unwrap_err());
        assert!(
            error.contains(&file.path().display().to_string()),
            "{error}"
        );
    }
}
