//! The command `pipebill`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipebill::cli::main(std::env::args_os())
}
