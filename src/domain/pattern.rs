//! The one wildcard: `*` stands for any text, `|` for "or", and case does not count.

/// A name in which `*` stands for any text, or several of them with `|` between.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pattern(pub String);

impl Pattern {
    /// Tells whether a name is meant, whatever the case.
    pub fn matches(&self, name: &str) -> bool {
        fn from(pattern: &[u8], name: &[u8]) -> bool {
            // Greedy with one point of return: the last star.
            let (mut p, mut n) = (0, 0);
            let mut star: Option<(usize, usize)> = None;
            while n < name.len() {
                match pattern.get(p) {
                    Some(b'*') => {
                        star = Some((p, n));
                        p += 1;
                    }
                    Some(c) if c.eq_ignore_ascii_case(&name[n]) => {
                        p += 1;
                        n += 1;
                    }
                    _ => match star {
                        Some((at, taken)) => {
                            star = Some((at, taken + 1));
                            p = at + 1;
                            n = taken + 1;
                        }
                        None => return false,
                    },
                }
            }
            pattern[p..].iter().all(|c| *c == b'*')
        }
        let name = name.as_bytes();
        self.0
            .split('|')
            .any(|pattern| from(pattern.as_bytes(), name))
    }

    /// Returns a pattern of one name. What a selector gives a meaning of its own becomes a star.
    pub fn exactly(name: &str) -> Self {
        Self::any_of([name])
    }

    /// Returns a pattern of several names.
    pub fn any_of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let special =
            |c: char| c.is_control() || matches!(c, '[' | ']' | ',' | '=' | '"' | '\\' | '|');
        let names: Vec<String> = names
            .into_iter()
            .map(|name| name.replace(special, "*"))
            .collect();
        Self(names.join("|"))
    }

    /// Tells whether it may mean several names.
    pub fn is_glob(&self) -> bool {
        self.0.contains(['*', '|'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, matches) in [
            ("team-*", "team-api", true),
            ("team-*", "steam-api", false),
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("API", "api", true),
            ("", "", true),
            ("", "x", false),
            ("*api", "my-api-api", true),
            ("web|api-*", "api-1", true),
            ("web|api-*", "app", false),
        ] {
            assert_eq!(
                Pattern(pattern.to_owned()).matches(name),
                matches,
                "{pattern} {name}"
            );
        }
    }
}
