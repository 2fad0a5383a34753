//! A scenario as a file, for `pipebill whatif FILE`.

use crate::domain::scenario::{Scenario, change::equals_sign};

/// Writes a scenario as a file that reads back as the same, under comments.
pub fn write(scenario: &Scenario, comments: &[String]) -> String {
    let quoted = |text: &str| {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        serde_json::to_string(&clean).expect("text is JSON, and TOML reads it")
    };
    let mut out = String::new();
    for comment in comments {
        let clean: String = comment.chars().filter(|c| !c.is_control()).collect();
        out += &format!("# {clean}\n");
    }
    out += &format!("name = {}\n", quoted(&scenario.name));
    if let Some(note) = &scenario.note {
        out += &format!("note = {}\n", quoted(note));
    }
    for change in &scenario.changes {
        let text = change.to_string();
        let equals = equals_sign(&text).unwrap_or(text.len());
        let (name, value) = text.split_at(equals);
        out += &format!(
            "{} = {}\n",
            quoted(name),
            quoted(value.trim_start_matches('='))
        );
    }
    out
}
