//! The charts of a report by name, for a page, a file or a terminal.

use super::{Calendar, Chart, FanChart, HeatMap, Stacks, SweepLine, Tornado, Waterfall, terminal};

/// A chart before it is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawing {
    /// Its heading.
    pub title: String,
    /// What is drawn.
    pub subject: Subject,
}

/// What a chart shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// Months past and to come.
    Fan(FanChart),
    /// Months by service.
    Services(Stacks),
    /// What moves a month.
    Tornado(Tornado),
    /// From one month to the next.
    Waterfall(Waterfall),
    /// From a month to what a scenario makes of it.
    Scenario(Waterfall),
    /// Days.
    Calendar(Calendar),
    /// A setting turned.
    Line(SweepLine),
    /// Two settings turned.
    Heat(HeatMap),
}

impl Drawing {
    /// Draws it as a picture.
    pub fn chart(&self) -> Chart {
        match &self.subject {
            Subject::Fan(fan) => fan.draw(&self.title),
            Subject::Services(stacks) => stacks.draw(&self.title),
            Subject::Tornado(tornado) => tornado.draw(&self.title),
            Subject::Waterfall(waterfall) => waterfall.draw("waterfall", &self.title),
            Subject::Scenario(waterfall) => waterfall.draw("scenario", &self.title),
            Subject::Calendar(calendar) => calendar.draw(&self.title),
            Subject::Line(line) => line.draw(&self.title),
            Subject::Heat(map) => map.draw(&self.title),
        }
    }

    /// Draws it with letters within a width.
    pub fn letters(&self, width: u16, unicode: bool) -> String {
        let ink = terminal::Ink::of(unicode);
        match &self.subject {
            Subject::Fan(fan) => terminal::fan(fan, width, unicode),
            Subject::Services(stacks) => terminal::stacks(stacks, width, &ink),
            Subject::Tornado(tornado) => terminal::tornado(tornado, width, &ink),
            Subject::Waterfall(waterfall) | Subject::Scenario(waterfall) => {
                terminal::waterfall(waterfall, width, &ink)
            }
            Subject::Calendar(calendar) => terminal::calendar(calendar, width, &ink),
            Subject::Line(line) => terminal::line(line, width, unicode),
            Subject::Heat(map) => terminal::heat(map, width, &ink),
        }
    }
}
