//! Lists: columns of which a row has any number of entries.

use bytes::Bytes;

use super::{Broken, Leaf, ReadAt};

/// Entries whose levels are looked at together.
const WINDOW: usize = 4096;
/// Entries that are passed over at once.
const STRIDE: usize = 64;

/// The levels of the next entries of a page.
#[derive(Default)]
pub(super) struct Window {
    repetitions: Vec<u32>,
    definitions: Vec<u32>,
    at: usize,
}

impl<R: ReadAt + 'static> Leaf<R> {
    /// Reads the lists of some of the next rows: each entry with the place of its row among those
    /// selected. Entries are there from the definition level `entry` on; their values need not be.
    pub(in super::super) fn read_lists(
        &mut self,
        rows: usize,
        selected: &[u32],
        entry: u32,
        out: &mut Vec<(u32, Option<Bytes>)>,
    ) -> Result<(), Broken> {
        // The row that entries belong to; the first has not begun yet.
        let mut row: Option<usize> = None;
        let mut next = 0;
        let mut skipped = 0;
        loop {
            if self.window.at == self.window.repetitions.len() && !self.look_ahead(&mut skipped)? {
                return match row {
                    Some(row) if row + 1 == rows => Ok(()),
                    _ => Err(Broken::new("a column ends before its last row")),
                };
            }
            let wanted = selected.get(next).map_or(rows, |wanted| *wanted as usize);
            skipped += self.pass_over(&mut row, wanted);
            let Some(&repetition) = self.window.repetitions.get(self.window.at) else {
                continue;
            };
            if repetition == 0 {
                let begun = row.map_or(0, |row| row + 1);
                if begun == rows {
                    return self.values.skip(skipped);
                }
                row = Some(begun);
                if selected
                    .get(next)
                    .is_some_and(|wanted| (*wanted as usize) < begun)
                {
                    next += 1;
                }
            }
            let level = self.window.definitions[self.window.at];
            self.window.at += 1;
            let Some(row) = row else {
                return Err(Broken::new("a list that goes on from no row"));
            };
            let is_there = level == self.max_definition;
            if selected
                .get(next)
                .is_none_or(|wanted| *wanted as usize != row)
            {
                skipped += usize::from(is_there);
            } else if is_there {
                self.values.skip(std::mem::take(&mut skipped))?;
                let value = self.value()?;
                out.push((u32::try_from(next).unwrap_or(u32::MAX), Some(value)));
            } else if level >= entry {
                out.push((u32::try_from(next).unwrap_or(u32::MAX), None));
            }
        }
    }

    /// Passes over entries of rows before the wanted one, many at once. Returns how many values they
    /// have.
    fn pass_over(&mut self, row: &mut Option<usize>, wanted: usize) -> usize {
        let Window {
            repetitions,
            definitions,
            at,
        } = &mut self.window;
        let mut there = 0;
        while let Some(begun) = *row
            && let Some(stride) = repetitions.get(*at..*at + STRIDE)
        {
            let begins = stride.iter().filter(|level| **level == 0).count();
            if begun + begins >= wanted {
                break;
            }
            *row = Some(begun + begins);
            let levels = &definitions[*at..*at + STRIDE];
            there += levels
                .iter()
                .filter(|level| **level == self.max_definition)
                .count();
            *at += STRIDE;
        }
        there
    }

    /// Takes the levels of the next entries, of the next page where one is done; values of a page that
    /// is done need not be passed over. Returns false at the end.
    fn look_ahead(&mut self, skipped: &mut usize) -> Result<bool, Broken> {
        if self.left == 0 {
            *skipped = 0;
            if !self.load()? {
                return Ok(false);
            }
        }
        let count = self.left.min(WINDOW);
        self.left -= count;
        self.window.at = 0;
        self.window.repetitions.clear();
        self.window.definitions.clear();
        self.repetitions
            .append(count, &mut self.window.repetitions)?;
        self.definitions
            .append(count, &mut self.window.definitions)?;
        Ok(true)
    }
}
