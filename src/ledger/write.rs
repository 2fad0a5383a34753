//! What is written: slices, in place of what the ledger has of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    thread,
};

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use rusqlite::{OptionalExtension, Statement, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::{
    Ledger, LedgerError, SqlResult, decode, exact,
    larger::{self, Smaller},
    standing,
};
use crate::domain::{
    export::{ExportKind, ImportedPeriod, Standing},
    ids::{AccountId, ResourceId},
    import::Replaced,
    money::Money,
    number::plain,
    period::Month,
    quantity::Quantity,
    usage::{Commitment, UsageRecord},
};

impl Ledger {
    /// Puts slices into the ledger in place of what it has of them, all or none.
    ///
    /// A bill replaces its source's month; the later files of a bill in several parts, given
    /// without the first, replace those parts. Anything else replaces the days it speaks for.
    ///
    /// A bill that is smaller than the one before it leaves its month incomplete.
    pub fn replace(&mut self, slices: &[ImportedPeriod]) -> Result<Vec<Replaced>, LedgerError> {
        self.put(slices, Smaller::IsSuspect)
    }

    /// Like [`Ledger::replace`], where the user says that a smaller bill is right.
    pub fn replace_by_less(
        &mut self,
        slices: &[ImportedPeriod],
    ) -> Result<Vec<Replaced>, LedgerError> {
        self.put(slices, Smaller::IsRight)
    }

    fn put(
        &mut self,
        slices: &[ImportedPeriod],
        smaller: Smaller,
    ) -> Result<Vec<Replaced>, LedgerError> {
        let failed = |error| LedgerError::of(&self.path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let replaced = replace_slices(&transaction, slices, smaller).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(replaced)
    }
}

pub(super) fn replace_slices(
    transaction: &Transaction<'_>,
    slices: &[ImportedPeriod],
    smaller: Smaller,
) -> SqlResult<Vec<Replaced>> {
    let mut months: BTreeMap<(Month, ExportKind, &str), Vec<Described<'_>>> = BTreeMap::new();
    for (slice, content) in slices.iter().zip(contents(slices)) {
        months
            .entry((slice.month, slice.kind, &slice.source))
            .or_default()
            .push((slice, content));
    }
    let mut texts = Texts::new(transaction)?;
    months
        .into_iter()
        .map(|((month, kind, source), slices)| {
            let key = (kind, source, month);
            replace_month(transaction, &mut texts, key, &slices, smaller)
        })
        .collect()
}

/// Describes slices, on every core: it takes about as long as writing them.
fn contents(slices: &[ImportedPeriod]) -> Vec<Content> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = slices.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let parts = slices.chunks(share).map(|part| {
            let describe = || part.iter().map(content).collect::<Vec<_>>();
            let thread = thread::Builder::new().spawn_scoped(scope, describe);
            (part, thread.ok())
        });
        // All are begun before the first is waited for.
        let parts: Vec<_> = parts.collect();
        let described = parts.into_iter().flat_map(|(part, thread)| {
            let described = thread.and_then(|thread| thread.join().ok());
            described.unwrap_or_else(|| part.iter().map(content).collect())
        });
        described.collect()
    })
}

/// What a slice is, whatever file it came from.
type Content = (u32, NaiveDate, NaiveDate, Vec<u8>);
type Described<'s> = (&'s ImportedPeriod, Content);

fn replace_month(
    transaction: &Transaction<'_>,
    texts: &mut Texts<'_>,
    (kind, source, month): (ExportKind, &str, Month),
    described: &[Described<'_>],
    smaller: Smaller,
) -> SqlResult<Replaced> {
    let slices: Vec<&ImportedPeriod> = described.iter().map(|(slice, _)| *slice).collect();
    let old = replaced_slices(transaction, kind, source, month, &slices)?;
    let mut before: Vec<Content> = old.iter().map(|(_, content)| content.clone()).collect();
    let mut after: Vec<Content> = described
        .iter()
        .map(|(_, content)| content.clone())
        .collect();
    before.sort();
    after.sort();
    let ids: Vec<i64> = old.iter().map(|(id, _)| *id).collect();
    let (rows_before, cost_before) = totals(transaction, &ids)?;
    let new = || slices.iter().flat_map(|slice| &slice.records);
    let is_same = before == after;
    let larger_before = if is_same || smaller == Smaller::IsRight {
        None
    } else {
        larger::before(transaction, &ids, &slices)?
    };
    let replaced = Replaced {
        kind,
        source: source.to_owned(),
        month,
        rows_before,
        rows_after: new().count() as u64,
        cost_before,
        cost_after: new()
            .filter_map(|record| Some(record.billed.as_ref()?.cost))
            .sum(),
        unchanged: is_same,
        larger_before: larger_before.clone(),
    };
    if replaced.unchanged {
        // The same content may have come in another delivery.
        let mut find = transaction.prepare(
            "SELECT id, standing FROM slice
             WHERE kind = ?1 AND source = ?2 AND month = ?3 AND part = ?4 AND first_day = ?5",
        )?;
        let mut mark = transaction.prepare(
            "UPDATE slice SET skipped = ?2, delivery = ?3, names_resources = ?4, standing = ?5
             WHERE id = ?1",
        )?;
        for slice in slices {
            let (month, first) = (month.to_string(), slice.covers.0.to_string());
            let found = find.query_row((kind.name(), source, month, slice.part, first), |row| {
                Ok((row.get::<_, i64>(0)?, standing::read(row.get(1)?)?))
            });
            let (id, known) = found?;
            mark.execute((
                id,
                i64::try_from(slice.skipped).unwrap_or(i64::MAX),
                &slice.delivery,
                slice.names_resources,
                standing::write(&larger::read_again(&slice.standing, known, smaller)),
            ))?;
        }
    } else {
        // A delivery of which a part is gone is no longer held.
        let mut unmark = transaction.prepare(
            "UPDATE slice SET delivery = NULL
             WHERE delivery = (SELECT delivery FROM slice WHERE id = ?1)",
        )?;
        let mut delete = [
            transaction.prepare("DELETE FROM record WHERE slice = ?1")?,
            transaction.prepare("DELETE FROM outside WHERE slice = ?1")?,
            transaction.prepare("DELETE FROM slice WHERE id = ?1")?,
        ];
        for id in ids {
            unmark.execute([id])?;
            for delete in &mut delete {
                delete.execute([id])?;
            }
        }
        for (slice, content) in described {
            let standing = Standing {
                larger_before: larger_before.clone(),
                ..slice.standing.clone()
            };
            insert(transaction, texts, slice, content, &standing)?;
        }
    }
    Ok(replaced)
}

/// Finds what the new slices take the place of.
fn replaced_slices(
    transaction: &Transaction<'_>,
    kind: ExportKind,
    source: &str,
    month: Month,
    slices: &[&ImportedPeriod],
) -> SqlResult<Vec<(i64, Content)>> {
    let mut query = transaction.prepare(
        "SELECT id, part, first_day, last_day, digest FROM slice
         WHERE kind = ?1 AND source = ?2 AND month = ?3",
    )?;
    let parts: BTreeSet<u32> = slices.iter().map(|slice| slice.part).collect();
    let only_later_parts = parts.iter().all(|part| *part > 1);
    let is_replaced = |(_, (part, first, last, _)): &(i64, Content)| {
        if kind.is_bill() {
            // Part 0 is a bill in one file: it holds what the parts repeat.
            !only_later_parts || parts.contains(part) || *part == 0
        } else {
            slices
                .iter()
                .any(|slice| slice.covers.0 <= *last && *first <= slice.covers.1)
        }
    };
    let all = query.query_map((kind.name(), source, month.to_string()), |row| {
        let day = |at| decode(&row.get::<_, String>(at)?, |text| text.parse().ok());
        Ok((row.get(0)?, (row.get(1)?, day(2)?, day(3)?, row.get(4)?)))
    })?;
    all.filter(|slice| slice.as_ref().map_or(true, is_replaced))
        .collect()
}

fn totals(transaction: &Transaction<'_>, slices: &[i64]) -> SqlResult<(u64, Money)> {
    let mut query =
        transaction.prepare("SELECT cost FROM record WHERE slice = ?1 AND aside = 0")?;
    let mut sum = (0, Money::ZERO);
    for slice in slices {
        let mut rows = query.query([slice])?;
        while let Some(row) = rows.next()? {
            sum.0 += 1;
            let cost: Option<String> = row.get(0)?;
            let cost = cost.map(|text| decode(&text, exact)).transpose()?;
            sum.1 += Money::new(cost.unwrap_or_default());
        }
    }
    Ok(sum)
}

/// Describes a slice by what it says, without the file that says it: a file under another name is
/// no change.
fn content(slice: &ImportedPeriod) -> Content {
    let mut hasher = Sha256::new();
    let mut row = Vec::new();
    let field = |row: &mut Vec<u8>, text: &str| {
        row.extend_from_slice(&(text.len() as u64).to_le_bytes());
        row.extend_from_slice(text.as_bytes());
    };
    for record in &slice.records {
        row.clear();
        for column in Columns::of(record).texts() {
            // No text of a column begins with this character, so an absent one is not an empty one.
            field(&mut row, column.unwrap_or("\u{0}"));
        }
        if let Some(commitment) = record.covered_by() {
            // Nothing where there is none, as before it was kept.
            field(&mut row, commitment.name());
        }
        hasher.update(&row);
    }
    for record in &slice.storage {
        // Nothing where there is none, as before it was kept.
        row.clear();
        field(&mut row, "storage");
        for column in Columns::of(record).texts() {
            field(&mut row, column.unwrap_or("\u{0}"));
        }
        hasher.update(&row);
    }
    row.clear();
    field(&mut row, "outside");
    for total in &slice.other_services {
        field(&mut row, &total.service);
        field(&mut row, &total.kind.to_string());
        field(&mut row, total.currency.as_str());
        field(&mut row, &total.rows.to_string());
        field(&mut row, &total.cost.to_string());
    }
    hasher.update(&row);
    let (first, last) = slice.covers;
    (slice.part, first, last, hasher.finalize().to_vec())
}

/// A record as the texts of its columns.
struct Columns<'r> {
    record: &'r UsageRecord,
    day: String,
    tags: String,
    quantity: Option<(String, &'static str)>,
    consumed: Option<(String, &'static str)>,
    billed: Option<(String, Option<String>, Option<String>)>,
}

impl<'r> Columns<'r> {
    fn of(record: &'r UsageRecord) -> Self {
        let quantity = |q: &Quantity| (plain(q.value), q.unit.name());
        Self {
            record,
            day: record.day.to_string(),
            tags: serde_json::to_string(&*record.tags).expect("a map of texts is JSON"),
            quantity: record.quantity.as_ref().map(quantity),
            consumed: record.consumed.as_ref().map(quantity),
            billed: record.billed.as_ref().map(|billed| {
                (
                    plain(billed.cost.amount()),
                    billed.rate.map(plain),
                    billed.list_rate.map(plain),
                )
            }),
        }
    }

    /// Returns the texts in the order of the table, the file they come from left out.
    fn texts(&self) -> [Option<&str>; 19] {
        let UsageRecord { key, billed, .. } = self.record;
        let amounts = self.billed.as_ref();
        [
            Some(&self.day),
            key.payer.as_ref().map(AccountId::as_str),
            key.account.as_ref().map(AccountId::as_str),
            Some(key.region.as_str()),
            Some(key.meter.service.as_str()),
            Some(key.meter.usage_type.as_str()),
            Some(self.record.kind.name()),
            self.record.resource.as_ref().map(ResourceId::as_str),
            Some(&self.tags),
            self.quantity.as_ref().map(|q| q.0.as_str()),
            self.quantity.as_ref().map(|q| q.1),
            self.consumed.as_ref().map(|q| q.0.as_str()),
            self.consumed.as_ref().map(|q| q.1),
            self.record.metering.as_deref(),
            amounts.map(|a| a.0.as_str()),
            amounts.and_then(|a| a.1.as_deref()),
            amounts.and_then(|a| a.2.as_deref()),
            billed.as_ref().and_then(|b| b.invoice.as_deref()),
            Some(self.record.currency.as_str()),
        ]
    }
}

/// Columns of a record that hold their text themselves; the others hold the number of a text.
const OWN_TEXT: [usize; 6] = [0, 9, 11, 14, 15, 16];

fn insert(
    transaction: &Transaction<'_>,
    texts: &mut Texts<'_>,
    slice: &ImportedPeriod,
    (part, first, last, digest): &Content,
    standing: &Standing,
) -> SqlResult<()> {
    transaction.execute(
        "INSERT INTO slice (kind, source, month, part, first_day, last_day, whole_month, digest,
                            skipped, delivery, names_resources, standing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        (
            slice.kind.name(),
            &slice.source,
            slice.month.to_string(),
            part,
            first.to_string(),
            last.to_string(),
            slice.whole_month,
            digest,
            i64::try_from(slice.skipped).unwrap_or(i64::MAX),
            &slice.delivery,
            slice.names_resources,
            standing::write(standing),
        ),
    )?;
    let id = transaction.last_insert_rowid();
    let mut add = transaction.prepare(
        "INSERT INTO record VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    )?;
    let kept = slice.records.iter().map(|record| (record, false));
    let storage = slice.storage.iter().map(|record| (record, true));
    for (record, aside) in kept.chain(storage) {
        let columns = Columns::of(record);
        add.raw_bind_parameter(1, id)?;
        for (at, text) in columns.texts().into_iter().enumerate() {
            match text {
                Some(text) if !OWN_TEXT.contains(&at) => {
                    add.raw_bind_parameter(at + 2, texts.id(text)?)?;
                }
                own => add.raw_bind_parameter(at + 2, own)?,
            }
        }
        add.raw_bind_parameter(21, texts.id(&record.origin)?)?;
        add.raw_bind_parameter(22, aside)?;
        add.raw_bind_parameter(23, record.covered_by().map(Commitment::name))?;
        add.raw_execute()?;
    }
    let mut add = transaction.prepare("INSERT INTO outside VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for total in &slice.other_services {
        add.execute((
            id,
            &total.service,
            total.kind.name(),
            total.currency.as_str(),
            i64::try_from(total.rows).unwrap_or(i64::MAX),
            plain(total.cost.amount()),
        ))?;
    }
    Ok(())
}

/// The numbers of texts, looked up once each.
pub(super) struct Texts<'t> {
    find: Statement<'t>,
    add: Statement<'t>,
    known: HashMap<Box<str>, i64, RandomState>,
}

impl<'t> Texts<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> SqlResult<Self> {
        Ok(Self {
            find: transaction.prepare("SELECT id FROM text WHERE value = ?1")?,
            add: transaction.prepare("INSERT INTO text (value) VALUES (?1)")?,
            known: HashMap::default(),
        })
    }

    pub(super) fn id(&mut self, text: &str) -> SqlResult<i64> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let found = self.find.query_row([text], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => self.add.insert([text])?,
        };
        self.known.insert(text.into(), id);
        Ok(id)
    }
}
