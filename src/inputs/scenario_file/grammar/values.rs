//! The value of a change: amounts, factors, options.

use rust_decimal::Decimal;

use super::{Part, Read, Reader};
use crate::{
    domain::{
        number::{parse_decimal, parse_quantity},
        scenario::Adjust,
    },
    unknown_name::UnknownName,
};

impl<'a> Reader<'a> {
    /// Takes `,key=value` off the end of the value.
    pub(super) fn split_options(&mut self, known: &[&str]) -> Read<()> {
        let mut parts = self.value.parts(',').into_iter();
        if let Some(value) = parts.next() {
            self.value = value;
        }
        for part in parts {
            let Some((key, value)) = part.split('=') else {
                return part.wrong(format!("write {}=…", known.join("=… or ")));
            };
            if !known.contains(&key.text) {
                let unknown = UnknownName::new("option", key.text, known.iter().copied());
                return key.wrong(unknown.to_string());
            }
            self.options.push((key, value));
        }
        Ok(())
    }

    pub(super) fn option(&self, name: &str) -> Option<Part<'a>> {
        let option = self.options.iter().rev().find(|(key, _)| key.text == name);
        option.map(|(_, value)| *value)
    }

    pub(super) fn adjust(&self) -> Read<Adjust> {
        if self.times {
            return Ok(Adjust::Times(self.factor(self.value)?));
        }
        let text = self.value.text;
        let value = parse_decimal(text).or_else(|problem| self.value.wrong(problem.to_string()))?;
        Ok(if text.starts_with(['+', '-']) {
            Adjust::By(value)
        } else {
            Adjust::To(value)
        })
    }

    pub(super) fn factor(&self, part: Part<'_>) -> Read<Decimal> {
        let value = self.quantity(part)?;
        if value > Decimal::from(1_000_000) {
            return part.wrong("more than a million times as much is a slip of the keyboard");
        }
        Ok(value)
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    pub(super) fn quantity(&self, part: Part<'_>) -> Read<Decimal> {
        parse_quantity(part.text).or_else(|problem| part.wrong(problem.to_string()))
    }

    pub(super) fn on_or_off(&self) -> Read<bool> {
        match self.value.text {
            "on" | "true" => Ok(true),
            "off" | "false" => Ok(false),
            _ => self.value.wrong("write on or off"),
        }
    }

    pub(super) fn only_times(&self) -> Read<()> {
        if self.times {
            return Ok(());
        }
        let name = self.name.text;
        self.value
            .wrong(format!("write how many times as many: {name}*=1.5"))
    }

    pub(super) fn no_times(&self) -> Read<()> {
        if self.times {
            return self
                .value
                .wrong(format!("{} is set with =, not *=", self.name.text));
        }
        Ok(())
    }

    pub(super) fn plain(&self) -> Read<()> {
        self.no_times()?;
        match self.selected {
            Some(part) => part.wrong(format!("{} holds for everything", self.name.text)),
            None => Ok(()),
        }
    }
}
