//! The program itself, built as the targets are: what would wrap around in a release panics.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipebill::cli::main(std::env::args_os())
}
