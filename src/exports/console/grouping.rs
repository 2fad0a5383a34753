//! What the columns of the console's file are: services, usage types, or what tells neither.

use rust_decimal::Decimal;

use super::{super::cost_explorer::Sum, Costs};
use crate::{
    domain::catalog::Catalog,
    exports::{ImportError, values::shown},
};

/// What the columns are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Grouping {
    /// Nothing: there is one column, the total.
    None,
    Service,
    UsageType,
    /// Accounts, regions, tags: the services stay unknown.
    Other,
}

impl Grouping {
    /// Tells what the columns are by what stands above them; by what the first is called only where
    /// that is a word of the console.
    pub(super) fn of(
        file: &str,
        heading: &str,
        columns: &[Costs<'_>],
        total: Option<usize>,
        catalog: &Catalog,
    ) -> Result<Self, ImportError> {
        let groups = || columns.iter().filter(|column| total != Some(column.field));
        let count = groups().count();
        if count == 0 {
            return Ok(Self::None);
        }
        let lower = heading.to_lowercase();
        let is = |words: &[&str]| words.contains(&lower.as_str());
        if is(&OTHERS) {
            return Ok(Self::Other);
        }
        let most =
            |is: &dyn Fn(&str) -> bool| 2 * groups().filter(|g| is(g.label)).count() >= count;
        let mut labels = groups().map(|group| group.label);
        if is(&USAGE_TYPE) || labels.any(|label| is_meter(catalog, label)) {
            return Ok(Self::UsageType);
        }
        if is(&SERVICE) {
            return Ok(Self::Service);
        }
        if most(&|label| is_usage_type(catalog, label)) {
            return Ok(Self::UsageType);
        }
        // `No tag key: team`: the values of a tag, whatever they are called.
        let is_tag = |label: &str| {
            !lower.is_empty() && label.to_lowercase().ends_with(&format!(": {lower}"))
        };
        let mut labels = groups().map(|group| group.label);
        if labels.any(|label| is_tag(label) || names_account(label)) {
            return Ok(Self::Other);
        }
        let services = groups()
            .filter(|group| is_service(catalog, group.label))
            .count();
        if services >= 2 && most(&|label| is_service(catalog, label)) {
            return Ok(Self::Service);
        }
        let mut groups = groups().map(|group| group.label);
        match groups.find(|label| is_service(catalog, label)) {
            None => Ok(Self::Other),
            Some(label) => Err(ImportError::AmbiguousGrouping {
                file: file.to_owned(),
                heading: shown(heading),
                label: shown(label),
            }),
        }
    }

    /// Tells whether what a service cost is known.
    pub(super) const fn names_services(self) -> bool {
        matches!(self, Self::Service | Self::UsageType)
    }

    pub(super) fn sum<'s>(self, column: &Costs<'s>, cost: Decimal) -> Sum<'s> {
        let mut sum = Sum::unnamed(cost, column.currency);
        match self {
            Self::Service => sum.service = Some(column.label),
            Self::UsageType => sum.usage_type = Some(column.label),
            Self::None | Self::Other => {}
        }
        sum
    }
}

/// Tells whether what stands above the first column is a word of the console for what it groups by.
pub(super) fn is_heading(name: &str) -> bool {
    let lower = name.to_lowercase();
    [&SERVICE[..], &USAGE_TYPE, &OTHERS]
        .iter()
        .any(|words| words.contains(&lower.as_str()))
}

/// Tells whether a column is surely a group, and no total.
pub(super) fn is_group(catalog: &Catalog, label: &str) -> bool {
    is_service(catalog, label) || is_usage_type(catalog, label) || names_account(label)
}

/// Tells whether a column is a total by its name, in the languages of the console.
pub(super) fn is_total(label: &str) -> bool {
    TOTAL.contains(&label.to_lowercase().as_str())
}

/// Tells whether a text is spelled as usage types are, whether its meter is known or not.
pub(super) fn is_usage_type(catalog: &Catalog, label: &str) -> bool {
    let is_spelled = |rest: &str| {
        rest.len() > 3
            && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !rest.contains(' ')
    };
    let (region, rest) = catalog.split_prefix(label);
    let is_prefixed = label.starts_with(|c: char| c.is_ascii_uppercase());
    (region.is_some() && is_prefixed && is_spelled(rest)) || is_meter(catalog, label)
}

/// Tells whether a text is the usage type of a known meter.
fn is_meter(catalog: &Catalog, label: &str) -> bool {
    let (_, bare) = catalog.split_prefix(label);
    // A word may be anything; what is spelled so is a usage type.
    let is_spelled = bare.len() < label.len()
        || bare.contains([':', '-'])
        || bare.chars().skip(1).any(|c| c.is_ascii_uppercase());
    let has = |usage_type: &str| {
        let mut services = catalog.services.keys();
        services.any(|code| catalog.meter(code, usage_type).is_some())
    };
    is_spelled && has(bare)
}

/// Tells whether a text is what the console calls a service: short English names in every language.
fn is_service(catalog: &Catalog, label: &str) -> bool {
    let is_known = |name: &str| {
        let service = catalog.service(name);
        service.is_some_and(|service| {
            let names = [service.code.as_str(), &service.name];
            let aliases = service.aliases.iter().map(String::as_str);
            // An alias in small letters is what people type.
            let mut names = names.into_iter().chain(aliases);
            names.any(|known| known == name && known.starts_with(|c: char| c.is_ascii_uppercase()))
        })
    };
    let bare = label
        .strip_prefix("AWS ")
        .or_else(|| label.strip_prefix("Amazon "));
    label.starts_with("EC2-")
        || SERVICES.contains(&label)
        || is_known(label)
        || bare.is_some_and(is_known)
}

/// Tells whether a text ends in an account ID in brackets.
fn names_account(label: &str) -> bool {
    let inner = label
        .strip_suffix(')')
        .and_then(|inner| inner.rsplit_once('('));
    inner.is_some_and(|(_, id)| crate::exports::values::is_account(id))
}

/// The service in the languages of the console.
const SERVICE: [&str; 16] = [
    "service",
    "serviço",
    "servicio",
    "servizio",
    "dienst",
    "services",
    "サービス",
    "서비스",
    "服务",
    "服務",
    "layanan",
    "hizmet",
    "dịch vụ",
    "บริการ",
    "usługa",
    "услуга",
];

/// The usage type in the languages of the console.
const USAGE_TYPE: [&str; 20] = [
    "usage type",
    "tipo de uso",
    "tipo de utilização",
    "tipo di utilizzo",
    "type d'utilisation",
    "type d’utilisation",
    "nutzungstyp",
    "nutzungsart",
    "verwendungstyp",
    "使用タイプ",
    "使用状況タイプ",
    "使用量タイプ",
    "사용 유형",
    "사용량 유형",
    "使用类型",
    "使用類型",
    "用量類型",
    "jenis penggunaan",
    "kullanım türü",
    "loại sử dụng",
];

/// What the console groups by besides, in English: their values are no services, whatever they are
/// called.
const OTHERS: [&str; 22] = [
    "api operation",
    "operation",
    "availability zone",
    "az",
    "billing entity",
    "charge type",
    "cost category",
    "database engine",
    "instance type",
    "legal entity",
    "linked account",
    "linked account name",
    "payment option",
    "platform",
    "purchase option",
    "region",
    "reservation",
    "resource",
    "savings plan type",
    "tag",
    "tenancy",
    "usage type group",
];

/// The total column in the languages of the console.
const TOTAL: [&str; 26] = [
    "total",
    "total cost",
    "total costs",
    "custo total",
    "custos totais",
    "coste total",
    "costes totales",
    "costo total",
    "costos totales",
    "costo totale",
    "costi totali",
    "coût total",
    "coûts totaux",
    "gesamtkosten",
    "gesamt",
    "合計コスト",
    "総コスト",
    "コストの合計",
    "총 비용",
    "총비용",
    "总成本",
    "总费用",
    "總成本",
    "總費用",
    "total biaya",
    "toplam maliyet",
];

/// Services that nearly every account has, as the console calls them.
const SERVICES: [&str; 34] = [
    "API Gateway",
    "Athena",
    "Backup",
    "Bedrock",
    "CloudFormation",
    "CloudFront",
    "CloudTrail",
    "CloudWatch",
    "CodeArtifact",
    "Cognito",
    "Config",
    "Cost Explorer",
    "DynamoDB",
    "EC2 Container Registry (ECR)",
    "ElastiCache",
    "Elastic Container Service",
    "Elastic Container Service for Kubernetes",
    "Elastic File System",
    "Elastic Load Balancing",
    "Glue",
    "GuardDuty",
    "Inspector",
    "Key Management Service",
    "Lambda",
    "OpenSearch Service",
    "Relational Database Service",
    "Route 53",
    "S3",
    "SNS",
    "SQS",
    "Secrets Manager",
    "Step Functions",
    "Systems Manager",
    "VPC",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_small_letters_as_they_are_compared() {
        for word in SERVICE
            .iter()
            .chain(&USAGE_TYPE)
            .chain(&OTHERS)
            .chain(&TOTAL)
        {
            assert_eq!(*word, word.to_lowercase());
        }
    }
}
