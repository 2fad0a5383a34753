//! Completions and manual pages, made from the same definitions as the help.

use std::path::PathBuf;

use clap_complete::Shell;

use super::{
    CommandError, Exit,
    output::{Output, write_file},
};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell.
    shell: Shell,
}

/// Print the manual page, or write one per command to a folder
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Folder to write to.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(
    args: &CompletionsArgs,
    command: &mut clap::Command,
    output: &Output,
) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "pipebill", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Answered)
}

pub(super) fn man(
    args: &ManArgs,
    command: clap::Command,
    output: &Output,
) -> Result<Exit, CommandError> {
    let page = |command: clap::Command| {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .expect("writing to memory cannot fail");
        String::from_utf8_lossy(&page).into_owned()
    };
    let Some(folder) = &args.out else {
        output.data(&page(command))?;
        return Ok(Exit::Answered);
    };
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("pipebill-{}", sub.get_name());
        let named = sub.clone().name(name.clone());
        write_file(&folder.join(format!("{name}.1")), &page(named))?;
    }
    write_file(&folder.join("pipebill.1"), &page(command))?;
    Ok(Exit::Answered)
}
