//! Names that AWS gives to things, kept apart by type so that an account can never be passed as a
//! region.
//!
//! They are compared and hashed once per usage record, so each is a shared string: cloning one is
//! a reference count, not an allocation.

use std::{fmt, sync::Arc};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// A twelve-digit account number. Text, because leading zeros count.
    AccountId
}
text_id! {
    /// A region code such as `eu-west-2`, or `global` for meters without one.
    Region
}
text_id! {
    /// The product code of a service in bills, such as `AWSCodePipeline`.
    ServiceCode
}
text_id! {
    /// A usage type without its region prefix, such as `Build-Min:Linux:g1.small`.
    UsageType
}
text_id! {
    /// What was used: a project, a pipeline, a repository; an ARN or a bare name.
    ResourceId
}
text_id! {
    /// The currency of a bill, an ISO 4217 code.
    Currency
}

impl Currency {
    /// Returns the decimal places of its smallest coin, as ISO 4217 lists them.
    pub fn decimals(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl Region {
    /// The region of meters that AWS counts over all regions at once.
    pub fn global() -> Self {
        Self::new("global")
    }
}

/// One thing AWS counts: a usage type of a service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Meter {
    /// Whose meter it is.
    pub service: ServiceCode,
    /// What it counts.
    pub usage_type: UsageType,
}

impl Meter {
    /// Returns the meter of a service and a usage type without region prefix.
    pub fn new(service: impl AsRef<str>, usage_type: impl AsRef<str>) -> Self {
        Self {
            service: ServiceCode::new(service),
            usage_type: UsageType::new(usage_type),
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.usage_type)
    }
}
