//! What a section needs of the machine. What rustup can install is installed without asking.

use std::process::{Command, Stdio};

/// Something that a section needs and that is not in this repository.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// A component of the Rust toolchain; rustup installs it.
    Component(&'static str),
    /// A program on the path that answers `--version`.
    Program(&'static str),
    /// A Java runtime on the path.
    Java,
    /// A Rust toolchain beside the one in use; rustup installs it.
    Toolchain(&'static str),
    /// A component of a toolchain, named first, beside the one in use; rustup installs both.
    Of(&'static str, &'static str),
    /// The standard library of a toolchain, named first, for another target; rustup installs it.
    Target(&'static str, &'static str),
}

impl Need {
    /// Looks for it, and has rustup install it if rustup can.
    ///
    /// # Errors
    /// When it is missing; the error names it.
    pub(super) fn satisfy(&self) -> Result<(), String> {
        match self {
            Self::Component(name) => component(name),
            Self::Program(name) if runs(name, &["--version"]) => Ok(()),
            Self::Program(name) => Err(format!("{name} is not installed")),
            Self::Toolchain(name) => toolchain(name),
            Self::Of(of, name) => toolchain(of).and_then(|()| component_of(of, name)),
            Self::Target(toolchain, name) => target(toolchain, name),
            Self::Java if runs("java", &["-version"]) => Ok(()),
            Self::Java => Err("java is not installed".to_owned()),
        }
    }
}

fn component(name: &str) -> Result<(), String> {
    // A proxy of rustup's exists without the component behind it, so it is asked for its version.
    let program = if name == "clippy" {
        "cargo-clippy"
    } else {
        name
    };
    if runs(program, &["--version"]) || runs("rustup", &["component", "add", name]) {
        return Ok(());
    }
    Err(format!(
        "{name} is not installed, and rustup does not install it"
    ))
}

fn toolchain(name: &str) -> Result<(), String> {
    let install = ["toolchain", "install", name, "--profile", "minimal"];
    if runs("rustup", &["run", name, "rustc", "--version"]) || runs("rustup", &install) {
        return Ok(());
    }
    Err(format!(
        "the {name} toolchain is not installed, and rustup does not install it"
    ))
}

fn component_of(toolchain: &str, name: &str) -> Result<(), String> {
    // Rustup answers at once when it is there already.
    if runs(
        "rustup",
        &["component", "add", "--toolchain", toolchain, name],
    ) {
        return Ok(());
    }
    Err(format!(
        "{name} of the {toolchain} toolchain is not installed, and rustup does not install it"
    ))
}

fn target(toolchain: &str, name: &str) -> Result<(), String> {
    // Rustup answers at once when it is there already.
    if runs("rustup", &["target", "add", "--toolchain", toolchain, name]) {
        return Ok(());
    }
    Err(format!(
        "the target {name} of the {toolchain} toolchain is not installed, and rustup does not \
         install it"
    ))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let told = Need::Program("no-such-program-anywhere")
            .satisfy()
            .unwrap_err();
        assert!(told.contains("no-such-program-anywhere"), "{told}");
        Need::Program("rustc").satisfy().unwrap();
    }
}
