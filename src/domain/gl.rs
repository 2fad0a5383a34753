//! Where a cost is posted: ordered rules from usage to accounts of a general ledger.

use std::{collections::BTreeMap, sync::Arc};

use super::{ids::ServiceCode, pattern::Pattern, usage::UsageRecord};

/// Where a part of the bill is posted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Posting {
    /// The legal entity, where there are several.
    pub entity: Option<Arc<str>>,
    /// The account that is debited.
    pub gl_account: Arc<str>,
    /// The cost centre.
    pub cost_center: Option<Arc<str>>,
    /// No rule matched: this is the suspense account.
    pub suspense: bool,
}

/// A value of a posting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// This one.
    Fixed(Arc<str>),
    /// What a tag says.
    Tag(String),
}

impl Value {
    fn of(&self, record: &UsageRecord) -> Option<Arc<str>> {
        match self {
            Self::Fixed(text) => Some(text.clone()),
            Self::Tag(key) => record
                .tags
                .get(key)
                .filter(|value| !value.is_empty())
                .map(|value| Arc::from(value.as_str())),
        }
    }
}

/// A rule: everything it names must match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Which service.
    pub service: Option<ServiceCode>,
    /// Which account of AWS.
    pub account: Option<Pattern>,
    /// Which region.
    pub region: Option<Pattern>,
    /// Which kind of charge: usage, tax, credit.
    pub kind: Option<Pattern>,
    /// Which tags.
    pub tags: BTreeMap<String, Pattern>,
    /// The account to debit.
    pub gl_account: Arc<str>,
    /// The cost centre.
    pub cost_center: Option<Value>,
    /// The entity, if not the mapping's.
    pub entity: Option<Value>,
}

impl Rule {
    fn matches(&self, record: &UsageRecord) -> bool {
        let key = &record.key;
        let account = key.account.as_ref().map_or("", |account| account.as_str());
        let meets = |pattern: &Option<Pattern>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
        };
        self.service
            .as_ref()
            .is_none_or(|it| *it == key.meter.service)
            && meets(&self.account, account)
            && meets(&self.region, key.region.as_str())
            && meets(&self.kind, record.kind.name())
            && self.tags.iter().all(|(name, pattern)| {
                record
                    .tags
                    .get(name)
                    .is_some_and(|value| pattern.matches(value))
            })
    }
}

/// How dates are written where an importer leaves it to the region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateStyle {
    /// 2026-10-31.
    Iso,
    /// 10/31/2026.
    MonthFirst,
    /// 31/10/2026.
    DayFirst,
}

/// A mapping: rules in order, the first that matches counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GlMapping {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Where everything else goes, to be looked at.
    pub suspense: Arc<str>,
    /// The account that is credited: what is owed.
    pub payable: Arc<str>,
    /// Whom it is owed to.
    pub vendor: Arc<str>,
    /// The entity of rules that name none.
    pub entity: Option<Arc<str>>,
    /// The tax rate that Xero asks for.
    pub tax_rate: Arc<str>,
    /// How an importer is to read dates, if not in its usual way.
    pub dates: Option<DateStyle>,
    /// Accounts are declared in hledger's and beancount's files.
    pub open_accounts: bool,
}

impl GlMapping {
    /// Returns where the cost of a record is posted.
    pub fn post(&self, record: &UsageRecord) -> Posting {
        let Some(rule) = self.rules.iter().find(|rule| rule.matches(record)) else {
            return self.suspense();
        };
        let entity = rule.entity.as_ref().and_then(|value| value.of(record));
        Posting {
            entity: entity.or_else(|| self.entity.clone()),
            gl_account: rule.gl_account.clone(),
            cost_center: rule.cost_center.as_ref().and_then(|value| value.of(record)),
            suspense: false,
        }
    }

    /// Returns where goes what no rule matches.
    pub fn suspense(&self) -> Posting {
        Posting {
            entity: self.entity.clone(),
            gl_account: self.suspense.clone(),
            cost_center: None,
            suspense: true,
        }
    }
}
