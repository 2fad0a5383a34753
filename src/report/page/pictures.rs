//! Which chart shows what of a report: the same for a page, a file and a terminal.

use crate::{
    domain::{bill::Bill, catalog::Catalog, ids::ServiceCode, overview::trend, period::Month},
    report::{
        chart::{
            Calendar, Column, Drawing, FanChart, FanMonth, MonthStatus, Past, Series, Stacks, Step,
            Subject, Swing, Tornado, Waterfall,
        },
        input::{ChartKind, ReportInput},
        short_unit, show_number, why,
    },
};

/// Every chart, in the order of a page.
pub const KINDS: &[ChartKind] = &[
    ChartKind {
        name: "fan",
        about: "past and forecast months, with a budget",
        of: fan,
    },
    ChartKind {
        name: "services",
        about: "months by service",
        of: services,
    },
    ChartKind {
        name: "waterfall",
        about: "what changed from one month to the next",
        of: waterfall,
    },
    ChartKind {
        name: "tornado",
        about: "cost drivers of a month",
        of: tornado,
    },
    ChartKind {
        name: "scenario",
        about: "a month under a scenario",
        of: scenario,
    },
    ChartKind {
        name: "calendar",
        about: "build minutes per day",
        of: calendar,
    },
];

/// Services with a colour of their own, and one more for the others.
const SERVICES: usize = 7;
const KEYS: [&str; SERVICES + 1] = [
    "service_1",
    "service_2",
    "service_3",
    "service_4",
    "service_5",
    "service_6",
    "service_7",
    "service_8",
];
/// Rows of a tornado.
const SWINGS: usize = 10;

/// Returns the chart of this name.
pub fn kind(name: &str) -> Option<&'static ChartKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What a service is called without the vendor's name.
pub(super) fn service_name(catalog: &Catalog, code: &ServiceCode) -> String {
    let name = catalog.service_name(code);
    name.strip_prefix("AWS ").unwrap_or(name).to_owned()
}

/// `October 2026`.
pub(super) fn month_name(month: Month) -> String {
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day = month.first_day();
    let name = names[chrono::Datelike::month0(&day) as usize];
    format!("{name} {}", chrono::Datelike::year(&day))
}

fn currency(input: &ReportInput<'_>) -> crate::domain::ids::Currency {
    input.months[0].rated.bill.currency.clone()
}

fn fan(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let forecast = input.forecast.ok_or_else(|| {
        let last = input.months.last().map(|month| month.rated.bill.month);
        last.and_then(|month| without_quantities(input, month))
            .unwrap_or_else(|| "the ledger has no continuing usage".to_owned())
    })?;
    let result = &forecast.result;
    let is_whole = result.months.iter().all(|month| month.exact.is_complete());
    if !is_whole && result.sum.p90.is_zero() {
        return Err("no forecast usage has a known price".to_owned());
    }
    let first = result.months.first().map(|month| month.month);
    let past = input.overview.iter().flat_map(|overview| {
        let over = overview
            .months
            .iter()
            .filter(|(month, _)| Some(*month) < first);
        over.map(|(month, bill)| Past {
            month: *month,
            cost: bill.as_ref().map(Bill::total),
            partial: bill.as_ref().is_some_and(|bill| !bill.is_complete()),
        })
    });
    let ahead = result.months.iter().map(|month| FanMonth {
        month: month.month,
        known: month.known,
        p10: month.total.p10,
        p50: month.total.p50,
        p90: month.total.p90,
    });
    Ok(Drawing {
        title: "Forecast".to_owned(),
        subject: Subject::Fan(FanChart {
            past: past.collect(),
            ahead: ahead.collect(),
            budget: result.options.budget,
            currency: forecast.currency.clone(),
        }),
    })
}

fn services(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let overview = input.overview.ok_or(NO_OVERVIEW)?;
    let bills: Vec<Option<&Bill>> = overview
        .months
        .iter()
        .map(|(_, bill)| bill.as_ref())
        .collect();
    let trend = trend(&bills, SERVICES);
    let columns = overview.months.iter().map(|(month, bill)| Column {
        month: *month,
        total: bill.as_ref().map(Bill::total),
        standing: match bill {
            Some(bill) if !bill.is_complete() => MonthStatus::Partial,
            Some(bill) if bill.month.end() > input.today => MonthStatus::SoFar,
            _ => MonthStatus::Whole,
        },
    });
    let mut series: Vec<Series> = trend
        .services
        .into_iter()
        .zip(KEYS)
        .map(|((code, values), key)| Series {
            name: service_name(input.catalog, &code),
            key,
            values,
            rest: false,
        })
        .collect();
    series.extend(trend.rest.map(|values| Series {
        name: "Other services".to_owned(),
        key: "other",
        values,
        rest: true,
    }));
    Ok(Drawing {
        title: "Cost by service".to_owned(),
        subject: Subject::Services(Stacks {
            columns: columns.collect(),
            series,
            currency: currency(input),
        }),
    })
}

fn waterfall(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let overview = input.overview.ok_or(NO_OVERVIEW)?;
    let change = overview.change.as_ref();
    let change = change.ok_or("the ledger has no two consecutive complete months")?;
    let names = [change.from[0], change.to].map(month_name);
    Ok(why::waterfall(change, input.catalog, names))
}

fn tornado(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let overview = input.overview.ok_or(NO_OVERVIEW)?;
    let all = overview
        .sensitivity
        .as_ref()
        .ok_or("the ledger has no complete month")?;
    if all.meters.is_empty() {
        let why = without_quantities(input, all.month);
        return Err(why.unwrap_or_else(|| format!("{} has no usage", month_name(all.month))));
    }
    let rows = all.meters.iter().take(SWINGS).map(|one| {
        let meter = &one.meter;
        let known = input
            .catalog
            .meter(&meter.service, meter.usage_type.as_str());
        let [low, high] = one.between.map(|quantity| show_number(quantity.value));
        Swing {
            name: known.map_or_else(|| meter.usage_type.to_string(), |known| known.name.clone()),
            range: format!("{low} → {high} {}", short_unit(one.between[0].unit, false)),
            low: one.less,
            high: one.more,
        }
    });
    Ok(Drawing {
        title: "Cost drivers".to_owned(),
        subject: Subject::Tornado(Tornado {
            of: month_name(all.month),
            baseline: all.baseline,
            step: format!("each driver varied by ±{} %", show_number(all.percent)),
            rows: rows.collect(),
            currency: currency(input),
        }),
    })
}

fn scenario(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let Some(prospect) = input.scenario else {
        return Err(if input.savings.is_some() {
            "no savings were found; add a scenario with --scenario or --set".to_owned()
        } else {
            nothing_over(input)
        });
    };
    let month = month_name(prospect.month);
    if !prospect.total.whole.both() {
        return Err("some usage has no known price, and a bar would show it as saved".to_owned());
    }
    let title = if prospect.found {
        format!("{month} with the savings")
    } else {
        format!("{month} with {}", prospect.scenario.name)
    };
    let waterfall = &prospect.waterfall;
    let steps = waterfall.steps.iter().map(|step| Step {
        name: step.label.clone(),
        change: step.amount,
        is_rest: step.is_rest,
    });
    Ok(Drawing {
        title,
        subject: Subject::Scenario(Waterfall {
            from: (month, waterfall.baseline),
            steps: steps.collect(),
            to: ("Scenario".to_owned(), waterfall.scenario),
            currency: prospect.currency.clone(),
        }),
    })
}

fn calendar(input: &ReportInput<'_>) -> Result<Drawing, String> {
    let overview = input.overview.ok_or(NO_OVERVIEW)?;
    let days = &overview.build_minutes;
    if days.values().all(rust_decimal::Decimal::is_zero) {
        return Err("builds are not known by day".to_owned());
    }
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value())
    else {
        return Err("builds are not known by day".to_owned());
    };
    Ok(Drawing {
        title: "Build minutes".to_owned(),
        subject: Subject::Calendar(Calendar {
            what: "build minutes".to_owned(),
            from: *first,
            to: *last,
            days: days.clone(),
        }),
    })
}

/// Which export has quantities.
pub(super) const QUANTITIES: &str = "a Cost and Usage Report, FOCUS, or Cost Explorer with --metrics \
     UnblendedCost UsageQuantity has them";

/// Says why nothing of a month can be changed or moved, where its source does not tell.
pub(super) fn without_quantities(input: &ReportInput<'_>, month: Month) -> Option<String> {
    let overview = input.overview?;
    let name = month_name(month);
    if overview.unknown_services.contains(&month) {
        return Some(format!(
            "the services of {name} are not known: group its export by service and usage type"
        ));
    }
    let (_, bill) = overview.months.iter().find(|(known, _)| *known == month)?;
    let bill = bill.as_ref()?;
    let has_none = bill.lines.iter().all(|line| line.usage.is_none());
    (has_none && bill.costs_only().next().is_some())
        .then(|| format!("the export of {name} has costs but no quantities; {QUANTITIES}"))
}

/// Says why there is no month that savings and scenarios could be about.
pub(super) fn nothing_over(input: &ReportInput<'_>) -> String {
    let over = input
        .overview
        .and_then(|overview| overview.sensitivity.as_ref());
    over.and_then(|over| without_quantities(input, over.month))
        .unwrap_or_else(|| "the ledger has no complete month".to_owned())
}

const NO_OVERVIEW: &str = "neighbouring months were not read for this report";
