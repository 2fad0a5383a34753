//! What the words of a report definition mean.

use super::{FileArgs, names};
use crate::{
    cli::CommandError,
    domain::journal::Accrual,
    inputs::report_definition::{DefinedFile, DefinitionError, ReportDefinition, Word},
    report::{
        formats,
        input::{Content, FocusVersion},
    },
};

/// Reads the text of a definition, and says how many files it names.
pub(in crate::cli) fn check(file: &str, text: &str) -> Result<usize, CommandError> {
    Ok(resolve(&ReportDefinition::parse(file, text)?)?.len())
}

/// A file of a definition: its format, its name if it is not the usual one, and what concerns it.
pub(super) type Resolved = (&'static formats::Format, Option<String>, FileArgs);

/// Returns the files of a definition.
pub(super) fn resolve(definition: &ReportDefinition) -> Result<Vec<Resolved>, DefinitionError> {
    let file = |file: &DefinedFile| {
        let word = |word: &Word, known: &str| definition.wrong(word, known);
        let format = formats::by_name(&file.format.text);
        let format =
            format.ok_or_else(|| word(&file.format, &format!("choose {}", names().join(", "))))?;
        let content = file.content.as_ref().map(|content| {
            let names = Content::ALL.map(|(_, name, _)| name);
            let known = format!("choose {}", names.join(", "));
            Content::named(&content.text).ok_or_else(|| word(content, &known))
        });
        let version = file.focus_version.as_ref().map(|version| {
            let mut known = FocusVersion::ALL.iter();
            let found = known.find(|(_, name)| *name == version.text);
            let found = found.map(|(version, _)| *version);
            found.ok_or_else(|| word(version, "choose \"1.2\" or \"1.4\""))
        });
        let accrue = file.accrue.as_ref().map(|accrue| {
            let names = Accrual::ALL.map(|(_, name, _)| name);
            let known = format!("choose {}", names.join(" or "));
            Accrual::named(&accrue.text).ok_or_else(|| word(accrue, &known))
        });
        let by = file
            .by
            .iter()
            .map(|by| super::part(&by.text).map_err(|problem| word(by, &problem)));
        let chart = file.chart.as_ref();
        let chart =
            chart.map(|chart| super::chart(&chart.text).map_err(|problem| word(chart, &problem)));
        let args = FileArgs {
            content: content.transpose()?,
            by: by.collect::<Result<_, _>>()?,
            columns: file.columns.clone(),
            bom: file.bom,
            chart: chart.transpose()?,
            gl: file.gl.clone(),
            accrue: accrue.transpose()?.unwrap_or(Accrual::Expected),
            focus_version: version.transpose()?.unwrap_or_default(),
        };
        Ok((format, file.name.clone(), args))
    };
    definition.files.iter().map(file).collect()
}
