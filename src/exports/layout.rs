//! Which columns each kind of CSV export has, and how they are recognised.

use super::{
    ImportError,
    values::{Keys, charge_category, line_type, shown},
};
use crate::domain::{export::ExportKind, usage::ChargeKind};

/// What a column tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    Day,
    Period,
    Kind,
    Class,
    Service,
    UsageType,
    Quantity,
    Cost,
    /// The cost after discounts.
    Net,
    Currency,
    Payer,
    Account,
    Region,
    Resource,
    Unit,
    Rate,
    ListRate,
    Invoice,
    Commitment,
    Pricing,
    Origin,
}

const COLUMNS: usize = Column::Origin as usize + 1;

/// One kind of export.
pub(super) struct Layout {
    pub(super) kind: ExportKind,
    /// Column, whether it must be there, and the names it goes by. Where several are there, a row
    /// takes the first that is not empty.
    pub(super) columns: &'static [(Column, bool, &'static [&'static str])],
    /// Columns that hold tags as a JSON object, and what their keys become.
    pub(super) maps: &'static [(&'static str, Keys)],
    /// Beginnings of the names of columns that hold one tag each.
    pub(super) tag_prefixes: &'static [(&'static str, &'static str)],
    /// A column that no export of another layout has, where the columns above do not tell.
    mark: Option<&'static str>,
    /// What kind of charge a row is.
    pub(super) charge: fn(&str, Option<&str>) -> ChargeKind,
    /// Zero stands for "no price" as well.
    pub(super) zero_rate_is_absent: bool,
}

use Column::{
    Account, Class, Commitment, Cost, Currency, Day, Invoice, Kind, ListRate, Net, Origin, Payer,
    Period, Pricing, Quantity, Rate, Region, Resource, Service, Unit, UsageType,
};

/// Names are compared in lower case.
static LAYOUTS: [Layout; 5] = [
    Layout {
        kind: ExportKind::Cur2,
        columns: &[
            (Day, true, &["line_item_usage_start_date"]),
            (Kind, true, &["line_item_line_item_type"]),
            (Service, true, &["line_item_product_code"]),
            (UsageType, true, &["line_item_usage_type"]),
            (Quantity, true, &["line_item_usage_amount"]),
            (Cost, true, &["line_item_unblended_cost"]),
            (Net, false, &["line_item_net_unblended_cost"]),
            (Currency, true, &["line_item_currency_code"]),
            (Period, false, &["bill_billing_period_start_date"]),
            (Payer, false, &["bill_payer_account_id"]),
            (Account, false, &["line_item_usage_account_id"]),
            (Region, false, &["product_region_code"]),
            (Resource, false, &["line_item_resource_id"]),
            (Unit, false, &["pricing_unit"]),
            (Rate, false, &["line_item_unblended_rate"]),
            (ListRate, false, &["pricing_public_on_demand_rate"]),
            (Invoice, false, &["bill_invoice_id"]),
        ],
        maps: &[
            ("resource_tags", Keys::Of("")),
            ("tags", Keys::OfAnyKind),
            ("cost_category", Keys::Of("cost_category/")),
        ],
        // What a query may make of single keys of the maps.
        tag_prefixes: &[("resource_tags_", ""), ("cost_category_", "cost_category/")],
        mark: None,
        charge: line_type,
        zero_rate_is_absent: false,
    },
    // What Athena and Parquet make of the names of the older report.
    Layout {
        kind: ExportKind::LegacyCur,
        columns: &[
            (Day, true, &["line_item_usage_start_date"]),
            (Kind, true, &["line_item_line_item_type"]),
            (Service, true, &["line_item_product_code"]),
            (UsageType, true, &["line_item_usage_type"]),
            (Quantity, true, &["line_item_usage_amount"]),
            (Cost, true, &["line_item_unblended_cost"]),
            (Net, false, &["line_item_net_unblended_cost"]),
            (Currency, true, &["line_item_currency_code"]),
            (Period, false, &["bill_billing_period_start_date"]),
            (Payer, false, &["bill_payer_account_id"]),
            (Account, false, &["line_item_usage_account_id"]),
            (Region, false, &["product_region_code", "product_region"]),
            (Resource, false, &["line_item_resource_id"]),
            (Unit, false, &["pricing_unit"]),
            (Rate, false, &["line_item_unblended_rate"]),
            (ListRate, false, &["pricing_public_on_demand_rate"]),
            (Invoice, false, &["bill_invoice_id"]),
        ],
        maps: &[],
        tag_prefixes: &[("resource_tags_", ""), ("cost_category_", "cost_category/")],
        mark: Some("product_product_name"),
        charge: line_type,
        zero_rate_is_absent: false,
    },
    Layout {
        kind: ExportKind::LegacyCur,
        columns: &[
            (Day, true, &["lineitem/usagestartdate"]),
            (Kind, true, &["lineitem/lineitemtype"]),
            (Service, true, &["lineitem/productcode"]),
            (UsageType, true, &["lineitem/usagetype"]),
            (Quantity, true, &["lineitem/usageamount"]),
            (Cost, true, &["lineitem/unblendedcost"]),
            (Net, false, &["lineitem/netunblendedcost"]),
            (Currency, true, &["lineitem/currencycode"]),
            (Period, false, &["bill/billingperiodstartdate"]),
            (Payer, false, &["bill/payeraccountid"]),
            (Account, false, &["lineitem/usageaccountid"]),
            (Region, false, &["product/regioncode", "product/region"]),
            (Resource, false, &["lineitem/resourceid"]),
            (Unit, false, &["pricing/unit"]),
            (Rate, false, &["lineitem/unblendedrate"]),
            (ListRate, false, &["pricing/publicondemandrate"]),
            (Invoice, false, &["bill/invoiceid"]),
        ],
        maps: &[],
        tag_prefixes: &[("resourcetags/", ""), ("costcategory/", "cost_category/")],
        mark: None,
        charge: line_type,
        zero_rate_is_absent: false,
    },
    Layout {
        kind: ExportKind::Focus,
        columns: &[
            (Day, true, &["chargeperiodstart"]),
            (Kind, true, &["chargecategory"]),
            (Class, false, &["chargeclass"]),
            (Service, true, &["x_servicecode", "servicename"]),
            // Version 1.2 has the usage type as the meter; plain 1.0 has no more than the SKU.
            (UsageType, false, &["x_usagetype", "skumeter", "skuid"]),
            // The list unit price is per pricing unit, so the quantity must be too.
            (Quantity, true, &["pricingquantity", "consumedquantity"]),
            (Unit, false, &["pricingunit", "consumedunit"]),
            (Cost, true, &["billedcost"]),
            (Currency, true, &["billingcurrency"]),
            (Period, false, &["billingperiodstart"]),
            (Payer, false, &["billingaccountid"]),
            (Account, false, &["subaccountid"]),
            (Region, false, &["regionid"]),
            (Resource, false, &["resourceid"]),
            (Rate, false, &["contractedunitprice"]),
            (ListRate, false, &["listunitprice"]),
            (Invoice, false, &["invoiceid"]),
            // The ID, an ARN, tells the kind where no column does.
            (
                Commitment,
                false,
                &["commitmentdiscounttype", "commitmentdiscountid"],
            ),
            (Pricing, false, &["pricingcategory"]),
        ],
        maps: &[
            ("tags", Keys::Of("")),
            ("x_costcategories", Keys::Of("cost_category/")),
        ],
        tag_prefixes: &[],
        mark: None,
        charge: charge_category,
        zero_rate_is_absent: true,
    },
    Layout {
        kind: ExportKind::DailyCsv,
        columns: &[
            (Day, true, &["date"]),
            (Service, true, &["service"]),
            (UsageType, true, &["usage_type"]),
            (Quantity, true, &["usage_amount"]),
            (Unit, true, &["unit"]),
            (Cost, true, &["unblended_cost"]),
            (Currency, true, &["currency"]),
            (Account, false, &["account_id", "account"]),
            (Region, false, &["region"]),
            (Resource, false, &["resource"]),
            (Origin, false, &["source"]),
        ],
        maps: &[],
        tag_prefixes: &[],
        mark: None,
        charge: line_type,
        zero_rate_is_absent: false,
    },
];

/// The month's bill, as its reader hands on each charge: the kind of it where the file has the kind of
/// the row.
pub(super) static MONTHLY_BILL: Layout = Layout {
    kind: ExportKind::MonthlyBill,
    columns: &[
        (Day, true, &["billingperiodstartdate"]),
        (Period, true, &["billingperiodstartdate"]),
        (Kind, true, &["recordtype"]),
        (Service, true, &["productcode", "productname"]),
        (UsageType, true, &["usagetype"]),
        (Quantity, true, &["usagequantity"]),
        (Cost, true, &["costbeforetax"]),
        (Currency, true, &["currencycode"]),
        (Payer, true, &["payeraccountid"]),
        (Account, false, &["linkedaccountid"]),
        (Invoice, false, &["invoiceid"]),
    ],
    maps: &[],
    tag_prefixes: &[("user:", ""), ("aws:", "aws:")],
    mark: None,
    charge: line_type,
    zero_rate_is_absent: false,
};

/// Columns of the newer Cost and Usage Report that the older one has as many columns.
const MAPS_OF_CUR2: [&str; 5] = [
    "resource_tags",
    "tags",
    "cost_category",
    "product",
    "discount",
];

/// Where a tag of a row stands.
pub(super) enum TagField {
    /// A JSON object of tags.
    Map {
        /// What its keys become.
        keys: Keys,
    },
    /// One tag of this name.
    One {
        /// The name.
        key: String,
    },
}

/// A layout found in the header of a file.
pub(super) struct Bound {
    pub(super) layout: &'static Layout,
    fields: [Vec<usize>; COLUMNS],
    pub(super) tags: Vec<(usize, TagField)>,
    header: Vec<String>,
}

impl Bound {
    /// Returns where the values of a column stand, the preferred one first.
    pub(super) fn fields(&self, column: Column) -> &[usize] {
        &self.fields[column as usize]
    }

    /// Tells for each field of the header whether it tells anything.
    pub(super) fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.width()];
        let columns = self.fields.iter().flatten();
        for &field in columns.chain(self.tags.iter().map(|(field, _)| field)) {
            needed[field] = true;
        }
        needed
    }

    /// Returns the name of a field in the header.
    pub(super) fn name(&self, field: usize) -> &str {
        self.header.get(field).map_or("", String::as_str)
    }

    /// Counts the fields of the header.
    pub(super) fn width(&self) -> usize {
        self.header.len()
    }

    /// Returns what kind of export it is.
    pub(super) const fn kind(&self) -> ExportKind {
        self.layout.kind
    }

    /// Returns the short name of the kind, with the version where the columns tell it.
    pub(super) fn label(&self) -> &'static str {
        let has = |name: &str| self.header.iter().any(|h| h.eq_ignore_ascii_case(name));
        match self.layout.kind {
            ExportKind::Focus if has("SkuMeter") || has("InvoiceId") => "focus 1.2",
            ExportKind::Focus => "focus 1.0",
            kind => kind.name(),
        }
    }
}

/// Recognises an export by its columns.
pub(super) fn recognise(file: &str, header: &[String]) -> Result<Bound, ImportError> {
    let lower: Vec<String> = header
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let position = |name: &str| lower.iter().position(|known| known == name);
    let has_own_tags = |layout: &Layout| {
        let mut starts = layout.tag_prefixes.iter().map(|(start, _)| start);
        starts.any(|start| lower.iter().any(|name| name.starts_with(start)))
    };
    // Only the newer report has maps.
    let has_maps = MAPS_OF_CUR2.iter().any(|name| position(name).is_some());
    let is_marked = |layout: &Layout| {
        let has = |mark| !has_maps && (position(mark).is_some() || has_own_tags(layout));
        layout.mark.is_none_or(has)
    };
    let missing = |layout: &Layout| -> Vec<String> {
        let required = layout.columns.iter().filter(|column| column.1);
        required
            .filter(|(_, _, names)| names.iter().all(|name| position(name).is_none()))
            .map(|(_, _, names)| names.join(" or "))
            .collect()
    };
    let found = |layout: &Layout| {
        let required = layout.columns.iter().filter(|column| column.1).count();
        required - missing(layout).len()
    };
    // The first of equals: layouts stand in order of precedence.
    let nearest = LAYOUTS
        .iter()
        .rev()
        .filter(|layout| is_marked(layout))
        .max_by_key(|layout| {
            let is_whole = missing(layout).is_empty();
            (is_whole, is_whole && layout.mark.is_some(), found(layout))
        })
        // Any table has a date and a service; only the others' names are their own.
        .filter(|layout| {
            let least = match layout.kind {
                ExportKind::DailyCsv => missing(layout).len(),
                _ => 0,
            };
            found(layout) > least
        });
    let Some(layout) = nearest else {
        let first: Vec<String> = header.iter().take(5).map(|name| shown(name)).collect();
        return Err(ImportError::Unrecognised {
            file: file.to_owned(),
            columns: first.join(", "),
        });
    };
    let missing = missing(layout);
    if !missing.is_empty() {
        return Err(ImportError::MissingColumns {
            file: file.to_owned(),
            nearest: layout.kind.title(),
            missing,
        });
    }
    // Which of two counts cannot be told, and a sum over the wrong one would look right.
    for &(_, is_required, names) in layout.columns {
        for &column in names {
            let count = lower.iter().filter(|known| *known == column).count();
            if is_required && count > 1 {
                let file = file.to_owned();
                return Err(ImportError::RepeatedColumn { file, column });
            }
        }
    }
    Ok(bind(layout, header))
}

/// Tells whether a header is one of an export, whole or not.
pub(super) fn resembles(header: &[String]) -> bool {
    !matches!(recognise("", header), Err(ImportError::Unrecognised { .. }))
}

/// Finds the columns of a layout in a header.
pub(super) fn bind(layout: &'static Layout, header: &[String]) -> Bound {
    let lower: Vec<String> = header
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let position = |name: &str| lower.iter().position(|known| known == name);
    let mut fields: [Vec<usize>; COLUMNS] = Default::default();
    for (column, _, names) in layout.columns {
        fields[*column as usize] = names.iter().filter_map(|name| position(name)).collect();
    }
    let maps = layout
        .maps
        .iter()
        .filter_map(|&(name, keys)| position(name).map(|field| (field, TagField::Map { keys })));
    let singles = lower.iter().enumerate().flat_map(|(field, name)| {
        layout
            .tag_prefixes
            .iter()
            .filter(|(start, _)| name.starts_with(start))
            .map(move |(start, prefix)| {
                let key = super::values::tag_key(&header[field][start.len()..]);
                let key = format!("{prefix}{key}");
                (field, TagField::One { key })
            })
    });
    Bound {
        layout,
        fields,
        tags: maps.chain(singles).collect(),
        header: header.to_vec(),
    }
}
