//! Quantities with units: adding minutes to seconds is an error, not a number.

use std::fmt;

use rust_decimal::Decimal;
use thiserror::Error;

macro_rules! units {
    ($($variant:ident $name:literal $plural:literal [$($spelling:literal),*] $doc:literal;)*) => {
        /// What a quantity counts.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Unit {
            $(#[doc = $doc] $variant,)*
        }

        impl Unit {
            /// Every unit.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name used in files and JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the plural for people.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$variant => $plural,)* }
            }

            /// Recognises our own names and the spellings met in bills and price lists.
            pub fn parse(text: &str) -> Option<Self> {
                let text = text.trim().to_ascii_lowercase();
                match text.as_str() {
                    $($name | $plural $(| $spelling)* => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

units! {
    Minute "minute" "minutes" ["min", "mins"] "A minute of a build, an action or an instance.";
    Second "second" "seconds" ["sec", "secs"] "A second of a build.";
    Hour "hour" "hours" ["hrs", "hr"] "An hour.";
    Pipeline "pipeline" "pipelines" ["pipeline-month", "pipeline-months"] "A pipeline active in a month.";
    User "user" "users" ["user-month", "user-months", "active-user"] "A user active in a month.";
    Update "update" "updates" ["onpremupdates", "onpremupdate"] "An update of one on-premises instance.";
    Deployment "deployment" "deployments" [] "A deployment.";
    GbMonth "gb-month" "GB-months" ["gb-months", "gb-mo", "gb-month (binary)", "gibibyte-month"] "A gibibyte kept for a month.";
    Gb "gb" "GB" ["gbs", "gigabytes", "gigabyte"] "A gibibyte transferred or ingested.";
    Tb "tb" "tbs" ["terabytes", "terabyte"] "A tebibyte scanned.";
    GbSecond "gb-second" "gb-seconds" ["lambda-gb-second"] "A gibibyte of memory for a second.";
    Request "request" "requests" ["api requests", "api calls", "api call"] "A request.";
    Event "event" "events" [] "An event.";
    Item "item" "items" ["configurationitemrecorded"] "A configuration item.";
    Evaluation "evaluation" "evaluations" ["configruleevaluations"] "An evaluation of a rule.";
    Key "key" "keys" ["key-month"] "A key kept for a month.";
    Secret "secret" "secrets" ["secret-month"] "A secret kept for a month.";
    Alarm "alarm" "alarms" [] "An alarm kept for a month.";
    Metric "metric" "metrics" [] "A metric kept for a month.";
    Email "email" "emails" ["e-mail", "e-mails"] "An e-mail.";
    Transition "transition" "transitions" ["statetransition", "statetransitions"] "A state transition.";
    Unspecified "unit" "units" ["n/a", "", "count"] "A unit that the source does not state.";
}

impl Unit {
    /// Tells whether it is counted once a month, not day by day.
    pub const fn is_counted_by_month(self) -> bool {
        matches!(
            self,
            Self::Pipeline | Self::User | Self::Key | Self::Secret | Self::Alarm | Self::Metric
        )
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Two quantities that cannot be added or priced together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{found} where {expected} are expected", found = .found.plural(), expected = .expected.plural())]
pub struct UnitMismatch {
    /// The unit of the tariff or of the sum so far.
    pub expected: Unit,
    /// The unit that does not fit.
    pub found: Unit,
}

/// A number of units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantity {
    /// How many.
    pub value: Decimal,
    /// Of what.
    pub unit: Unit,
}

impl Quantity {
    /// Returns `value` of `unit`.
    pub const fn new(value: Decimal, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// Adds two quantities of one unit. Minutes join seconds as seconds, which loses nothing.
    pub fn try_add(self, other: Self) -> Result<Self, UnitMismatch> {
        match (self.unit, other.unit) {
            (a, b) if a == b => Ok(Self::new(self.value + other.value, a)),
            (Unit::Minute, Unit::Second) => {
                Ok(Self::new(seconds(self) + other.value, Unit::Second))
            }
            (Unit::Second, Unit::Minute) => {
                Ok(Self::new(self.value + seconds(other), Unit::Second))
            }
            (expected, found) => Err(UnitMismatch { expected, found }),
        }
    }

    /// Returns the same quantity in the unit of a tariff. Only an unstated unit takes another name.
    pub fn in_unit(self, expected: Unit) -> Result<Self, UnitMismatch> {
        if self.unit == expected || self.unit == Unit::Unspecified || expected == Unit::Unspecified
        {
            return Ok(Self::new(self.value, expected));
        }
        Err(UnitMismatch {
            expected,
            found: self.unit,
        })
    }
}

fn seconds(minutes: Quantity) -> Decimal {
    minutes.value * Decimal::from(60)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.value == Decimal::ONE {
            self.unit.name()
        } else {
            self.unit.plural()
        };
        write!(f, "{} {unit}", super::number::plain(self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_unit_is_an_error_that_names_both() {
        let minutes = Quantity::new(Decimal::ONE, Unit::Minute);
        let users = Quantity::new(Decimal::ONE, Unit::User);
        let error = minutes.try_add(users).expect_err("minutes are not users");
        assert_eq!(error.to_string(), "users where minutes are expected");
    }

    #[test]
    fn spellings_of_bills_are_known() {
        for (text, unit) in [
            ("Minutes", Unit::Minute),
            ("Second", Unit::Second),
            ("User-Month", Unit::User),
            ("OnPremUpdates", Unit::Update),
            ("pipelines", Unit::Pipeline),
            ("GB-Mo", Unit::GbMonth),
            ("N/A", Unit::Unspecified),
        ] {
            assert_eq!(Unit::parse(text), Some(unit), "{text}");
        }
        assert_eq!(Unit::parse("furlongs"), None);
    }

    #[test]
    fn every_name_reads_back() {
        for unit in Unit::ALL {
            assert_eq!(Unit::parse(unit.name()), Some(*unit));
        }
    }
}
