//! What is not known is decided both ways. A *world* is one choice for everything an expression asked for
//! and nobody told: a condition, a parameter with a list of allowed values. An expression is evaluated in
//! every world it can tell apart; what is the same in all of them is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// How many worlds one question may have: twelve conditions that nobody decides.
pub(super) const MAX_WORLDS: usize = 4096;

/// Something that nobody told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// Which of its allowed values a parameter of a stack has.
    Parameter {
        /// The stack.
        stack: usize,
        /// The parameter.
        name: Rc<str>,
    },
    /// Whether an unknown text is a certain one.
    Equal {
        /// The unknown text.
        left: Rc<str>,
        /// What it is compared with.
        right: Rc<str>,
    },
    /// Which key of a map an unknown text is.
    Key {
        /// The stack.
        stack: usize,
        /// The map.
        map: Rc<str>,
        /// The unknown text.
        text: Rc<str>,
    },
    /// A condition that is not defined, or refers to itself.
    Condition {
        /// The stack.
        stack: usize,
        /// Its name.
        name: Rc<str>,
    },
}

/// One choice of each.
pub(super) type Choices = BTreeMap<Atom, usize>;

/// The choices of the evaluation under way.
#[derive(Debug, Default)]
pub(super) struct World {
    /// What is chosen.
    pub(super) choices: Choices,
    /// What this evaluation chose: which one, of how many.
    trail: Vec<(Atom, usize, usize)>,
    /// What it has to choose first, to come to the next world.
    prefix: Vec<usize>,
    /// Whether it asked for anything.
    pub(super) was_asked: bool,
    /// The parameters that decide.
    pub(super) parameters: BTreeSet<String>,
    /// Conditions that are decided in this world, so that none is decided twice.
    pub(super) decided: BTreeMap<(usize, Rc<str>), bool>,
}

impl World {
    /// Begins the enumeration below some choices.
    pub(super) fn begin(start: &Choices) -> Self {
        Self {
            choices: start.clone(),
            ..Self::default()
        }
    }

    /// Chooses one of `count`, the same as before in this world.
    pub(super) fn choose(&mut self, atom: Atom, count: usize) -> usize {
        self.was_asked = true;
        if let Some(chosen) = self.choices.get(&atom) {
            return *chosen;
        }
        let chosen = self.prefix.get(self.trail.len()).copied().unwrap_or(0);
        self.trail.push((atom.clone(), chosen, count));
        self.choices.insert(atom, chosen);
        chosen
    }

    /// Goes on to the next world, if there is one.
    pub(super) fn next(&mut self) -> bool {
        self.decided.clear();
        for (atom, ..) in &self.trail {
            self.choices.remove(atom);
        }
        let mut trail = std::mem::take(&mut self.trail);
        while let Some((_, chosen, count)) = trail.pop() {
            if chosen + 1 < count {
                self.prefix = trail.iter().map(|(_, chosen, _)| *chosen).collect();
                self.prefix.push(chosen + 1);
                return true;
            }
        }
        false
    }
}

/// What a question came to in every world.
#[derive(Debug)]
pub(super) struct Answers<T> {
    /// Each answer and its world; empty only if there was no world to ask in.
    pub(super) each: Vec<(Choices, T)>,
    /// The parameters that tell the worlds apart.
    pub(super) parameters: BTreeSet<String>,
    /// There are more worlds than were asked.
    pub(super) is_cut: bool,
}
