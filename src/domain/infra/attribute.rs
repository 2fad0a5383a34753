//! What is known of an attribute: its value, that it is not stated, or why nobody can tell.

/// An attribute of a resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Attribute<T> {
    /// It is stated.
    Known(T),
    /// It is not stated: AWS's default holds, where there is one.
    #[default]
    Absent,
    /// It is stated as something that the file cannot tell.
    Unknown(Reason),
    /// It depends on parameters that have no value.
    Depends {
        /// Their names, in order.
        parameters: Vec<String>,
        /// Every value it may take, where they are known; empty where they are not.
        choices: Vec<T>,
    },
}

impl<T> Attribute<T> {
    /// Returns the value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown(_) | Self::Depends { .. } => None,
        }
    }

    /// Tells whether it is not stated.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Makes something else of the value; `None` means that it is no such thing.
    pub fn and_then<U>(self, convert: impl Fn(T) -> Option<U>) -> Attribute<U> {
        match self {
            Self::Known(value) => match convert(value) {
                Some(value) => Attribute::Known(value),
                None => Attribute::Unknown(Reason::Malformed),
            },
            Self::Absent => Attribute::Absent,
            Self::Unknown(reason) => Attribute::Unknown(reason),
            Self::Depends {
                parameters,
                choices,
            } => Attribute::Depends {
                parameters,
                choices: choices.into_iter().filter_map(convert).collect(),
            },
        }
    }
}

impl<T> From<Option<T>> for Attribute<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

/// Why a value cannot be told from the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// It is known when the change is applied.
    AfterApply,
    /// It is marked as sensitive, and not read.
    Sensitive,
    /// It is no value that the attribute can have.
    Malformed,
    /// AWS requires it, and the file leaves it out.
    Missing,
    /// It lies in the parameter store.
    SsmParameter(String),
    /// It lies in Secrets Manager or another store that is asked at deployment.
    DynamicReference(String),
    /// Another stack exports it.
    Import(String),
    /// It is an attribute of another resource that AWS decides.
    ResourceAttribute(String),
    /// A macro or `Fn::Transform` makes it.
    Macro(String),
    /// It is computed by a function that is not evaluated.
    Function(String),
    /// AWS chooses it.
    ChosenByAws,
}

impl Reason {
    /// Returns the code used in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AfterApply => "known_after_apply",
            Self::Sensitive => "sensitive",
            Self::Malformed => "malformed",
            Self::Missing => "missing",
            Self::SsmParameter(_) => "ssm_parameter",
            Self::DynamicReference(_) => "dynamic_reference",
            Self::Import(_) => "import",
            Self::ResourceAttribute(_) => "resource_attribute",
            Self::Macro(_) => "macro",
            Self::Function(_) => "function",
            Self::ChosenByAws => "chosen_by_aws",
        }
    }
}

/// Whether a resource, or a part of one, exists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Exists {
    /// It does.
    #[default]
    Yes,
    /// It depends on conditions that nobody can decide.
    Maybe {
        /// Their names.
        conditions: Vec<String>,
        /// The parameters that would decide them.
        parameters: Vec<String>,
    },
}

impl Exists {
    /// Tells whether it certainly does.
    pub const fn is_certain(&self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// From the fewest to the most there can be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Range {
    /// The fewest.
    pub low: u32,
    /// The most.
    pub high: u32,
}

impl Range {
    /// Returns a range of one number.
    pub const fn exactly(count: u32) -> Self {
        Self {
            low: count,
            high: count,
        }
    }

    /// Tells whether it is one number.
    pub const fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// Adds what certainly or possibly exists.
    pub fn add(&mut self, exists: &Exists) {
        self.low += u32::from(exists.is_certain());
        self.high += 1;
    }
}
