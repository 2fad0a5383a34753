//! Which rows of services that are not kept are storage of builds and pipelines.

use super::{Group, Leaf, ReadAt, Scan};
use crate::{domain::storage::is_measure, exports::ImportError};

/// A column of what is metered while it is read.
pub(super) struct Metered<R: ReadAt> {
    pub(super) leaf: Leaf<R>,
    /// Of the rows looked at together.
    pub(super) codes: Vec<u32>,
    /// By code, where it was asked: it is storage or logs taken in.
    pub(super) measures: Vec<Option<bool>>,
}

impl<R: ReadAt + 'static> Metered<R> {
    fn is_measure(&mut self, row: u32) -> bool {
        let code = self.codes[row as usize];
        let Some(raw) = self.leaf.decode(code) else {
            return false;
        };
        let at = code as usize;
        if self.measures.len() <= at {
            self.measures.resize(at + 1, None);
        }
        *self.measures[at].get_or_insert_with(|| is_measure(raw))
    }
}

impl<R: ReadAt + 'static> Group<'_, R> {
    /// Selects of the rows that may be storage of ours those that are: by what is metered, which the
    /// dictionary tells, then by the resource.
    pub(super) fn select_storage(
        &self,
        scan: &mut Scan<R>,
        count: usize,
    ) -> Result<(), ImportError> {
        let plan = self.plan;
        let is_any = !scan.selected.is_empty() || !scan.storage.is_empty();
        for (at, metered) in scan.metered.iter_mut().enumerate() {
            metered.codes.clear();
            let read = if is_any {
                metered.leaf.read_codes(count, &mut metered.codes)
            } else {
                metered.leaf.read_selected(count, &[], &mut Vec::new())
            };
            read.map_err(self.broken(plan.metered[at].1))?;
        }
        let metered = &mut scan.metered;
        scan.storage
            .retain(|(row, _)| metered.iter_mut().any(|metered| metered.is_measure(*row)));
        scan.resources.clear();
        let (Some(resource), Some((_, number, _))) = (&mut scan.resource, plan.resource) else {
            return Ok(());
        };
        let sure = scan.selected.len();
        scan.selected
            .extend(scan.storage.iter().map(|(row, _)| *row));
        if scan.selected.len() > sure {
            scan.selected.sort_unstable();
        }
        let mut found = std::mem::take(&mut scan.resources);
        resource
            .read_selected(count, &scan.selected, &mut found)
            .map_err(self.broken(number))?;
        if scan.selected.len() == sure {
            scan.resources = found;
            return Ok(());
        }
        let mut storage = scan.storage.iter().peekable();
        let selected = std::mem::take(&mut scan.selected);
        for (row, resource) in selected.into_iter().zip(found) {
            let is_ours = match storage.next_if(|(at, _)| *at == row) {
                Some((_, left)) => resource.as_ref().is_some_and(|name| left.has(name)),
                None => true,
            };
            if is_ours {
                scan.selected.push(row);
                scan.resources.push(resource);
            }
        }
        Ok(())
    }
}
