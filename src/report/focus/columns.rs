//! The columns of FOCUS in the order of the specification, and where each comes from.

use std::sync::LazyLock;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Basis, Charge};
use crate::domain::{
    allocation::short_name,
    bill::LineItem,
    exchange::Exchange,
    ids::{AccountId, Region, ResourceId},
    money::Money,
    quantity::Unit,
    tariff::PriceOrigin,
    usage::ChargeKind,
};
use crate::report::input::FocusVersion;

/// What stands in a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    Null,
    Text(String),
    Number(Decimal),
    /// The first moment of a day, UTC.
    Time(NaiveDate),
}

/// Which type a column has in Parquet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColumnKind {
    Text,
    Number,
    Time,
}

/// A column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: ColumnKind,
    versions: &'static [FocusVersion],
    pub(super) value: fn(&Charge<'_>) -> Value,
}

const BOTH: &[FocusVersion] = &[FocusVersion::V1_2, FocusVersion::V1_4];
const ONLY_1_2: &[FocusVersion] = &[FocusVersion::V1_2];
const ONLY_1_4: &[FocusVersion] = &[FocusVersion::V1_4];

/// Returns the columns of a version, ours last.
pub(super) fn of(version: FocusVersion) -> Vec<&'static Column> {
    let columns = COLUMNS.iter();
    columns
        .filter(|column| column.versions.contains(&version))
        .collect()
}

/// Every version's columns; alphabetical, as the specification lists them.
static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    use ColumnKind::{Number, Text, Time};
    type Row = (
        &'static str,
        ColumnKind,
        &'static [FocusVersion],
        fn(&Charge<'_>) -> Value,
    );
    let rows: Vec<Row> = vec![
        ("AllocatedMethodDetails", Text, ONLY_1_4, null),
        ("AllocatedMethodId", Text, ONLY_1_4, null),
        ("AllocatedResourceId", Text, ONLY_1_4, null),
        ("AllocatedResourceName", Text, ONLY_1_4, null),
        ("AllocatedTags", Text, ONLY_1_4, null),
        ("AvailabilityZone", Text, BOTH, null),
        ("BilledCost", Number, BOTH, |c| money(c.row.cost)),
        ("BillingAccountId", Text, BOTH, billing_account),
        // A ledger has no names of accounts, and FOCUS wants one wherever an account has an id.
        ("BillingAccountName", Text, BOTH, billing_account),
        ("BillingAccountType", Text, BOTH, |_| text("AWS Account")),
        ("BillingCurrency", Text, BOTH, |c| {
            text(c.bill.currency.as_str())
        }),
        ("BillingPeriodEnd", Time, BOTH, |c| {
            Value::Time(c.bill.month.end())
        }),
        ("BillingPeriodStart", Time, BOTH, |c| {
            Value::Time(c.bill.month.first_day())
        }),
        ("CapacityReservationId", Text, BOTH, null),
        ("CapacityReservationStatus", Text, BOTH, null),
        ("ChargeCategory", Text, BOTH, |c| text(category(c))),
        ("ChargeClass", Text, BOTH, |c| {
            optional(is_correction(c).then_some("Correction"))
        }),
        ("ChargeDescription", Text, BOTH, |c| text(&line(c).name)),
        ("ChargeFrequency", Text, BOTH, frequency),
        ("ChargePeriodEnd", Time, BOTH, |c| {
            Value::Time(c.row.days.1.succ_opt().unwrap_or(c.row.days.1))
        }),
        ("ChargePeriodStart", Time, BOTH, |c| {
            Value::Time(c.row.days.0)
        }),
        ("CommitmentDiscountCategory", Text, BOTH, null),
        ("CommitmentDiscountId", Text, BOTH, null),
        ("CommitmentDiscountName", Text, BOTH, null),
        ("CommitmentDiscountQuantity", Number, BOTH, null),
        ("CommitmentDiscountStatus", Text, BOTH, null),
        ("CommitmentDiscountType", Text, BOTH, null),
        ("CommitmentDiscountUnit", Text, BOTH, null),
        ("CommitmentProgramEligibilityDetails", Text, ONLY_1_4, null),
        ("ConsumedQuantity", Number, BOTH, |c| {
            if category(c) == "Usage" {
                quantity(c)
            } else {
                Value::Null
            }
        }),
        ("ConsumedUnit", Text, BOTH, |c| {
            if category(c) == "Usage" {
                unit(c)
            } else {
                Value::Null
            }
        }),
        ("ContractApplied", Text, ONLY_1_4, null),
        ("ContractedCost", Number, BOTH, |c| money(c.row.cost)),
        ("ContractedUnitPrice", Number, BOTH, |c| {
            unit_price(c, c.row.unit_price)
        }),
        ("EffectiveCost", Number, BOTH, |c| money(c.row.cost)),
        ("HostProviderName", Text, ONLY_1_4, provider),
        ("InvoiceDetailId", Text, ONLY_1_4, null),
        ("InvoiceId", Text, BOTH, |c| {
            optional(c.row.owner.invoice.as_deref())
        }),
        ("InvoiceIssuerName", Text, BOTH, provider),
        ("ListCost", Number, BOTH, |c| money(c.row.list_cost)),
        ("ListUnitPrice", Number, BOTH, |c| {
            unit_price(c, c.row.list_unit_price)
        }),
        ("PricingCategory", Text, BOTH, |c| {
            optional(is_priced(c).then_some("Standard"))
        }),
        ("PricingCurrency", Text, BOTH, |c| {
            text(c.bill.currency.as_str())
        }),
        ("PricingCurrencyContractedUnitPrice", Number, BOTH, |c| {
            unit_price(c, c.row.unit_price)
        }),
        ("PricingCurrencyEffectiveCost", Number, BOTH, |c| {
            money(c.row.cost)
        }),
        ("PricingCurrencyListUnitPrice", Number, BOTH, |c| {
            unit_price(c, c.row.list_unit_price)
        }),
        ("PricingQuantity", Number, BOTH, quantity),
        ("PricingUnit", Text, BOTH, unit),
        ("ProviderName", Text, ONLY_1_2, provider),
        ("PublisherName", Text, ONLY_1_2, provider),
        ("RegionId", Text, BOTH, |c| {
            optional(region(c).map(Region::as_str))
        }),
        ("RegionName", Text, BOTH, |c| {
            let info = region(c).and_then(|region| c.input.catalog.regions.get(region));
            optional(region(c).map(|id| info.map_or(id.as_str(), |info| &info.name)))
        }),
        ("ResourceId", Text, BOTH, |c| optional(resource(c))),
        ("ResourceName", Text, BOTH, |c| {
            resource(c).map_or(Value::Null, |id| text(short_name(id)))
        }),
        ("ResourceType", Text, BOTH, |c| {
            optional(resource(c).map(|_| place(&line(c).key.meter.service).resource))
        }),
        ("ServiceCategory", Text, BOTH, |c| {
            text(place(&line(c).key.meter.service).category)
        }),
        ("ServiceName", Text, BOTH, |c| {
            text(c.input.catalog.service_name(&line(c).key.meter.service))
        }),
        ("ServiceProviderName", Text, ONLY_1_4, provider),
        ("ServiceSubcategory", Text, BOTH, |c| {
            text(place(&line(c).key.meter.service).subcategory)
        }),
        ("SkuId", Text, BOTH, |c| {
            if is_priced(c) {
                text(sku(c))
            } else {
                Value::Null
            }
        }),
        ("SkuMeter", Text, BOTH, |c| {
            optional(is_priced(c).then(|| line(c).key.meter.usage_type.as_str()))
        }),
        ("SkuPriceDetails", Text, BOTH, null),
        ("SkuPriceId", Text, BOTH, |c| {
            if is_priced(c) {
                text(format!("{}.{}.OnDemand", sku(c), line(c).key.region))
            } else {
                Value::Null
            }
        }),
        ("SubAccountId", Text, BOTH, |c| {
            optional(line(c).key.account.as_ref().map(AccountId::as_str))
        }),
        ("SubAccountName", Text, BOTH, |c| {
            optional(line(c).key.account.as_ref().map(AccountId::as_str))
        }),
        ("SubAccountType", Text, BOTH, |c| {
            optional(line(c).key.account.as_ref().map(|_| "AWS Account"))
        }),
        ("Tags", Text, BOTH, tags),
        ("x_ChargeBasis", Text, BOTH, |c| {
            text(match c.basis {
                Basis::Actual => "actual",
                Basis::Estimate => "estimate",
                Basis::Forecast => "forecast",
            })
        }),
        ("x_PriceOrigin", Text, BOTH, |c| {
            optional(line(c).price.as_ref().map(|price| price.origin.name()))
        }),
        ("x_PriceAssumedFrom", Text, BOTH, |c| {
            match line(c).price.as_ref().map(|p| &p.origin) {
                Some(PriceOrigin::Assumed(region)) => text(region.as_str()),
                _ => Value::Null,
            }
        }),
        ("x_ConvertedCost", Number, BOTH, |c| {
            exchange(c).map_or(Value::Null, |it| money(it.convert(c.row.cost)))
        }),
        ("x_ConvertedCurrency", Text, BOTH, |c| {
            optional(exchange(c).map(|it| it.to.as_str()))
        }),
        ("x_FxRate", Number, BOTH, |c| {
            exchange(c).map_or(Value::Null, |it| Value::Number(it.rate))
        }),
        ("x_FxRateDate", Time, BOTH, |c| {
            exchange(c).map_or(Value::Null, |it| Value::Time(it.date))
        }),
        ("x_FxRateSource", Text, BOTH, |c| {
            optional(exchange(c).map(|it| &*it.source))
        }),
    ];
    let column = |(name, kind, versions, value)| Column {
        name,
        kind,
        versions,
        value,
    };
    rows.into_iter().map(column).collect()
});

fn null(_: &Charge<'_>) -> Value {
    Value::Null
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().to_owned())
}

fn optional(text: Option<&str>) -> Value {
    text.filter(|text| !text.is_empty())
        .map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

fn money(amount: Money) -> Value {
    Value::Number(amount.amount())
}

fn provider(_: &Charge<'_>) -> Value {
    text("AWS")
}

fn line<'c>(charge: &Charge<'c>) -> &'c LineItem {
    &charge.bill.lines[charge.row.line]
}

fn exchange<'c>(charge: &Charge<'c>) -> Option<&'c Exchange> {
    charge.options.exchange.as_ref()
}

fn region<'c>(charge: &Charge<'c>) -> Option<&'c Region> {
    Some(&line(charge).key.region).filter(|region| region.as_str() != "global")
}

fn resource<'c>(charge: &Charge<'c>) -> Option<&'c str> {
    charge.row.owner.resource.as_ref().map(ResourceId::as_str)
}

/// The column must not be null; what no bill says is named after the one that used.
fn billing_account(charge: &Charge<'_>) -> Value {
    let key = &line(charge).key;
    let account = key.payer.as_ref().or(key.account.as_ref());
    text(account.map_or("unstated", |account| account.as_str()))
}

fn category(charge: &Charge<'_>) -> &'static str {
    if charge.row.is_discount {
        return "Credit";
    }
    match line(charge).kind {
        ChargeKind::Usage => "Usage",
        ChargeKind::Tax => "Tax",
        ChargeKind::Credit | ChargeKind::Discount | ChargeKind::Negation => "Credit",
        ChargeKind::Fee => "Purchase",
        ChargeKind::Refund | ChargeKind::Other(_) => "Adjustment",
    }
}

fn is_correction(charge: &Charge<'_>) -> bool {
    charge.row.owner.late
}

fn frequency(charge: &Charge<'_>) -> Value {
    text(match category(charge) {
        "Usage" => "Usage-Based",
        "Purchase" => "Recurring",
        _ => "One-Time",
    })
}

/// Usage and purchases have a price.
fn is_priced(charge: &Charge<'_>) -> bool {
    matches!(category(charge), "Usage" | "Purchase")
}

/// What a bill charges without counting anything is one of it.
fn quantity(charge: &Charge<'_>) -> Value {
    match charge.row.quantity {
        Some(quantity) => Value::Number(quantity.value),
        None if is_priced(charge) => Value::Number(Decimal::ONE),
        None => Value::Null,
    }
}

fn unit_price(charge: &Charge<'_>, price: Option<Decimal>) -> Value {
    match price {
        Some(price) => Value::Number(price),
        None if is_priced(charge) => money(charge.row.cost),
        None => Value::Null,
    }
}

fn unit(charge: &Charge<'_>) -> Value {
    let unit = match charge.row.quantity {
        Some(quantity) => quantity.unit,
        None if is_priced(charge) => Unit::Unspecified,
        None => return Value::Null,
    };
    // FOCUS writes units in the plural, each word with a capital: `GB-Months`.
    let words = unit.plural().split('-').map(|word| match word {
        "gb" | "gbs" => "GB".to_owned(),
        word => {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        }
    });
    text(words.collect::<Vec<_>>().join("-"))
}

fn sku(charge: &Charge<'_>) -> String {
    let line = line(charge);
    let stated = line
        .price
        .as_ref()
        .and_then(|price| price.source.sku.as_deref());
    stated.map_or_else(|| line.key.meter.to_string(), str::to_owned)
}

fn tags(charge: &Charge<'_>) -> Value {
    let tags = &charge.row.owner.tags;
    if tags.is_empty() {
        return Value::Null;
    }
    Value::Text(serde_json::to_string(&**tags).expect("tags are text"))
}

/// Where FOCUS files a service.
struct Place {
    category: &'static str,
    subcategory: &'static str,
    resource: &'static str,
}

fn place(service: &crate::domain::ids::ServiceCode) -> Place {
    let (category, subcategory, resource) = match service.as_str() {
        "CodeBuild" => (
            "Developer Tools",
            "Continuous Integration and Deployment",
            "Project",
        ),
        "AWSCodePipeline" => (
            "Developer Tools",
            "Continuous Integration and Deployment",
            "Pipeline",
        ),
        "AWSCodeDeploy" => (
            "Developer Tools",
            "Continuous Integration and Deployment",
            "Deployment Group",
        ),
        "AWSCodeCommit" => ("Developer Tools", "Source Code Management", "Repository"),
        "AWSCodeArtifact" => ("Developer Tools", "Other (Developer Tools)", "Repository"),
        "AmazonS3" => ("Storage", "Object Storage", "Bucket"),
        "awskms" => ("Security", "Other (Security)", "Key"),
        "AWSSecretsManager" => ("Security", "Secret Management", "Secret"),
        "AmazonCloudWatch" => ("Management and Governance", "Observability", "Log Group"),
        "AWSConfig" => ("Management and Governance", "Compliance", "Rule"),
        "AmazonECR" => ("Compute", "Containers", "Repository"),
        "AWSLambda" => ("Compute", "Serverless Compute", "Function"),
        "AWSEvents" | "AmazonSNS" | "AWSQueueService" => ("Integration", "Messaging", "Topic"),
        "AmazonStates" => ("Integration", "Workflow Orchestration", "State Machine"),
        _ => ("Other", "Other (Other)", "Resource"),
    };
    Place {
        category,
        subcategory,
        resource,
    }
}
