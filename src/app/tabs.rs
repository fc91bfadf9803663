//! Tabs: each a layout of panes of its own. There is always one in front; the others keep their
//! order around it.

use crate::model::PaneId;

use super::layout::Node;

/// One layout.
#[derive(Clone, Debug)]
pub struct Tab {
    /// Where its panes are.
    pub tree: Node,
    /// The one that keys go to.
    pub focus: PaneId,
    /// It alone is shown.
    pub zoom: bool,
}

impl Tab {
    /// A tab with one pane.
    pub fn of(pane: PaneId) -> Self {
        Self {
            tree: Node::Leaf(pane),
            focus: pane,
            zoom: false,
        }
    }
}

/// All tabs.
#[derive(Debug)]
pub struct Tabs {
    /// The one in front.
    pub now: Tab,
    /// Those before it, the nearest last.
    before: Vec<Tab>,
    /// Those behind it, the nearest last.
    behind: Vec<Tab>,
}

impl Tabs {
    /// One tab.
    pub fn new(now: Tab) -> Self {
        Self {
            now,
            before: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.before.len() + 1 + self.behind.len()
    }

    /// Never: there is always one.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Which one is in front, from 0.
    pub fn at(&self) -> usize {
        self.before.len()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Tab> {
        let behind = self.behind.iter().rev();
        self.before.iter().chain([&self.now]).chain(behind)
    }

    /// The panes of all tabs, in order.
    pub fn panes(&self) -> Vec<PaneId> {
        self.iter().flat_map(|tab| tab.tree.panes()).collect()
    }

    /// Brings the tab at `index` to the front, or the last one.
    pub fn go_to(&mut self, index: usize) {
        while self.at() > index {
            let Some(tab) = self.before.pop() else { return };
            self.behind.push(std::mem::replace(&mut self.now, tab));
        }
        while self.at() < index {
            let Some(tab) = self.behind.pop() else { return };
            self.before.push(std::mem::replace(&mut self.now, tab));
        }
    }

    /// The tab so many places further, round and round.
    pub fn turn(&mut self, step: isize) {
        let count = isize::try_from(self.len()).unwrap_or(1);
        let here = isize::try_from(self.at()).unwrap_or(0);
        self.go_to(usize::try_from((here + step).rem_euclid(count)).unwrap_or(0));
    }

    /// A new tab at the end, which comes to the front.
    pub fn open(&mut self, tab: Tab) {
        self.go_to(usize::MAX);
        self.before.push(std::mem::replace(&mut self.now, tab));
    }

    /// A new first tab, which stays behind.
    pub fn lead(&mut self, tab: Tab) {
        self.before.insert(0, tab);
    }

    /// Brings the tab of a pane to the front and the keys to the pane. False if there is none.
    pub fn show(&mut self, pane: PaneId) -> bool {
        let found = self.iter().position(|tab| tab.tree.panes().contains(&pane));
        let Some(index) = found else { return false };
        self.go_to(index);
        self.now.focus = pane;
        true
    }

    /// Takes the tab in front away; the one before it, else the one behind, comes there. False
    /// if it is the only one.
    pub fn close(&mut self) -> bool {
        let Some(tab) = self.before.pop().or_else(|| self.behind.pop()) else {
            return false;
        };
        self.now = tab;
        true
    }

    /// Takes all tabs but the one in front away.
    pub fn close_others(&mut self) {
        self.before.clear();
        self.behind.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(tabs: &Tabs) -> (Vec<u32>, usize) {
        let panes = tabs.panes().into_iter().map(|pane| pane.0).collect();
        (panes, tabs.at())
    }

    #[test]
    fn tabs_keep_their_order() {
        let mut tabs = Tabs::new(Tab::of(PaneId(0)));
        for pane in 1..4 {
            tabs.open(Tab::of(PaneId(pane)));
        }
        assert_eq!(order(&tabs), (vec![0, 1, 2, 3], 3));
        tabs.go_to(1);
        assert_eq!(order(&tabs), (vec![0, 1, 2, 3], 1));
        tabs.turn(-2);
        assert_eq!(order(&tabs), (vec![0, 1, 2, 3], 3));
        tabs.turn(1);
        assert_eq!(order(&tabs), (vec![0, 1, 2, 3], 0));
        assert!(tabs.show(PaneId(2)) && !tabs.show(PaneId(9)));
        assert_eq!(
            (order(&tabs), tabs.now.focus),
            ((vec![0, 1, 2, 3], 2), PaneId(2))
        );
        assert!(tabs.close());
        assert_eq!(order(&tabs), (vec![0, 1, 3], 1));
        tabs.go_to(0);
        assert!(tabs.close());
        assert_eq!(order(&tabs), (vec![1, 3], 0));
        tabs.close_others();
        assert!(!tabs.close());
        assert_eq!((order(&tabs), tabs.len()), ((vec![1], 0), 1));
    }
}
