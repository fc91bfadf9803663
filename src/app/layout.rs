//! Where panes are: a tree of splits, and the one function that turns it into rectangles, for
//! drawing and for the mouse alike.

use ratatui::layout::Rect;

use crate::model::PaneId;

/// A pane narrower or lower than this can't be read: then only the focused one is shown.
pub const MIN_WIDTH: u16 = 18;
/// See [`MIN_WIDTH`].
pub const MIN_HEIGHT: u16 = 4;
const WEIGHT: u16 = 100;

/// How a split's parts lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Axis {
    /// Side by side, with a divider of one column between.
    Beside,
    /// One below the other.
    Below,
}

/// Towards where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Left.
    Left,
    /// Down.
    Down,
    /// Up.
    Up,
    /// Right.
    Right,
}

/// A tree of splits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// One pane.
    Leaf(PaneId),
    /// Parts with their weights.
    Split(Axis, Vec<(Self, u16)>),
}

impl Node {
    /// A grid of panes, as square as it goes; none for no panes.
    pub fn grid(panes: &[PaneId], area: Rect) -> Option<Self> {
        let count = panes.len();
        let most = usize::from((area.width + 1) / (MIN_WIDTH * 2 + 1)).max(1);
        let mut columns = 1;
        while columns * columns < count && columns < most {
            columns += 1;
        }
        let rows = count.div_ceil(columns);
        let row = |part: &[PaneId]| {
            split(
                Axis::Beside,
                part.iter().map(|pane| Self::Leaf(*pane)).collect(),
            )
        };
        let parts: Vec<Self> = panes
            .chunks(count.div_ceil(rows.max(1)).max(1))
            .filter_map(row)
            .collect();
        split(Axis::Below, parts)
    }

    /// All panes, in reading order.
    pub fn panes(&self) -> Vec<PaneId> {
        match self {
            Self::Leaf(pane) => vec![*pane],
            Self::Split(_, parts) => parts.iter().flat_map(|(part, _)| part.panes()).collect(),
        }
    }

    /// Puts `fresh` behind `at`, along `axis`.
    pub fn insert(&mut self, at: PaneId, axis: Axis, fresh: PaneId) {
        match self {
            Self::Leaf(pane) if *pane == at => {
                *self = Self::Split(
                    axis,
                    vec![(Self::Leaf(at), WEIGHT), (Self::Leaf(fresh), WEIGHT)],
                );
            }
            Self::Leaf(_) => {}
            Self::Split(own, parts) => {
                let here = parts.iter().position(|(part, _)| *part == Self::Leaf(at));
                match here {
                    Some(index) if *own == axis => {
                        parts.insert(index + 1, (Self::Leaf(fresh), WEIGHT));
                    }
                    Some(_) | None => parts
                        .iter_mut()
                        .for_each(|(part, _)| part.insert(at, axis, fresh)),
                }
            }
        }
    }

    /// The tree without `gone`; none if that was all.
    #[must_use]
    pub fn without(self, gone: PaneId) -> Option<Self> {
        match self {
            Self::Leaf(pane) => (pane != gone).then_some(Self::Leaf(pane)),
            Self::Split(axis, parts) => {
                let mut kept: Vec<(Self, u16)> = Vec::with_capacity(parts.len());
                for (part, weight) in parts {
                    if let Some(part) = part.without(gone) {
                        kept.push((part, weight));
                    }
                }
                match kept.len() {
                    0 => None,
                    1 => kept.pop().map(|(part, _)| part),
                    _ => Some(Self::Split(axis, kept)),
                }
            }
        }
    }

    /// Makes all parts equal.
    pub fn equalise(&mut self) {
        if let Self::Split(_, parts) = self {
            for (part, weight) in parts {
                *weight = WEIGHT;
                part.equalise();
            }
        }
    }

    /// Makes the part that holds `pane` larger or smaller along `axis`. True if there was one.
    pub fn resize(&mut self, pane: PaneId, axis: Axis, percent: i16) -> bool {
        let Self::Split(own, parts) = self else {
            return false;
        };
        let Some((part, weight)) = parts
            .iter_mut()
            .find(|(part, _)| part.panes().contains(&pane))
        else {
            return false;
        };
        if part.resize(pane, axis, percent) {
            return true;
        }
        if *own != axis {
            return false;
        }
        *weight = weight.saturating_add_signed(percent).clamp(10, 1000);
        true
    }
}

fn split(axis: Axis, mut parts: Vec<Node>) -> Option<Node> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Node::Split(
            axis,
            parts.into_iter().map(|part| (part, WEIGHT)).collect(),
        )),
    }
}

/// The rectangles of all panes that are shown. `focus` alone is, when it is zoomed or when the
/// others would make all of them unreadable.
pub fn solve(area: Rect, tree: &Node, focus: PaneId, zoom: bool) -> Vec<(PaneId, Rect)> {
    let mut places = Vec::new();
    if !zoom {
        place(area, tree, &mut places);
        let tiny = |(_, rect): &(PaneId, Rect)| rect.width < MIN_WIDTH || rect.height < MIN_HEIGHT;
        if !places.iter().any(tiny) {
            return places;
        }
    }
    vec![(focus, area)]
}

fn place(area: Rect, node: &Node, places: &mut Vec<(PaneId, Rect)>) {
    match node {
        Node::Leaf(pane) => places.push((*pane, area)),
        Node::Split(axis, parts) => {
            for (part, rect) in parts.iter().zip(shares(area, *axis, parts)) {
                place(rect, &part.0, places);
            }
        }
    }
}

fn shares(area: Rect, axis: Axis, parts: &[(Node, u16)]) -> Vec<Rect> {
    let dividers = if axis == Axis::Beside {
        u32::try_from(parts.len().saturating_sub(1)).unwrap_or(0)
    } else {
        0
    };
    let length = u32::from(if axis == Axis::Beside {
        area.width
    } else {
        area.height
    })
    .saturating_sub(dividers);
    let total: u32 = parts
        .iter()
        .map(|(_, weight)| u32::from(*weight))
        .sum::<u32>()
        .max(1);
    let mut sum = 0;
    let mut at = 0;
    let mut rects = Vec::with_capacity(parts.len());
    for (index, (_, weight)) in parts.iter().enumerate() {
        let from = length * sum / total;
        sum += u32::from(*weight);
        let size = u16::try_from(length * sum / total - from).unwrap_or(0);
        let offset = u16::try_from(at).unwrap_or(0);
        rects.push(match axis {
            Axis::Beside => Rect {
                x: area.x + offset,
                width: size,
                ..area
            },
            Axis::Below => Rect {
                y: area.y + offset,
                height: size,
                ..area
            },
        });
        at += u32::from(size) + u32::from(axis == Axis::Beside && index + 1 < parts.len());
    }
    rects
}

/// The pane next to `from` on that side, by where the panes are.
pub fn neighbour(places: &[(PaneId, Rect)], from: PaneId, side: Side) -> Option<PaneId> {
    let (_, here) = places.iter().find(|(pane, _)| *pane == from)?;
    let distance = |rect: &Rect| -> Option<(u32, u32)> {
        let (gap, offset) = match side {
            Side::Left => (
                i32::from(here.x) - i32::from(rect.right()),
                rect.y.abs_diff(here.y),
            ),
            Side::Right => (
                i32::from(rect.x) - i32::from(here.right()),
                rect.y.abs_diff(here.y),
            ),
            Side::Up => (
                i32::from(here.y) - i32::from(rect.bottom()),
                rect.x.abs_diff(here.x),
            ),
            Side::Down => (
                i32::from(rect.y) - i32::from(here.bottom()),
                rect.x.abs_diff(here.x),
            ),
        };
        Some((u32::try_from(gap).ok()?, u32::from(offset)))
    };
    let others = places.iter().filter(|(pane, _)| *pane != from);
    others
        .filter_map(|(pane, rect)| Some((distance(rect)?, *pane)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, pane)| pane)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: u32) -> Vec<PaneId> {
        (0..count).map(PaneId).collect()
    }

    #[test]
    fn a_grid_covers_its_area_without_overlap_at_every_size() {
        for count in 1..=12 {
            for (width, height) in [
                (200, 50),
                (120, 36),
                (80, 24),
                (40, 10),
                (1, 1),
                (0, 0),
                (500, 200),
            ] {
                let area = Rect::new(0, 1, width, height);
                let tree = Node::grid(&ids(count), area).unwrap();
                assert_eq!(tree.panes(), ids(count));
                let places = solve(area, &tree, PaneId(0), false);
                for (index, (_, one)) in places.iter().enumerate() {
                    assert_eq!(area.intersection(*one), *one, "{count} in {area}");
                    for (_, other) in &places[index + 1..] {
                        assert!(
                            one.intersection(*other).is_empty(),
                            "{count} in {area}: {one} {other}"
                        );
                    }
                }
                assert!(places.len() == 1 || places.len() == count as usize);
            }
        }
        assert_eq!(Node::grid(&[], Rect::new(0, 0, 80, 24)), None);
    }

    #[test]
    fn panes_are_added_closed_resized_and_found() {
        let area = Rect::new(0, 0, 101, 40);
        let [a, b, c] = [PaneId(0), PaneId(1), PaneId(2)];
        let mut tree = Node::Leaf(a);
        tree.insert(a, Axis::Beside, b);
        tree.insert(b, Axis::Below, c);
        let places = solve(area, &tree, a, false);
        let rect = |pane: PaneId| places.iter().find(|(id, _)| *id == pane).unwrap().1;
        assert_eq!(
            (rect(a), rect(b), rect(c)),
            (
                Rect::new(0, 0, 50, 40),
                Rect::new(51, 0, 50, 20),
                Rect::new(51, 20, 50, 20)
            )
        );
        assert_eq!(neighbour(&places, a, Side::Right), Some(b));
        assert_eq!(neighbour(&places, b, Side::Down), Some(c));
        assert_eq!(neighbour(&places, c, Side::Left), Some(a));
        assert_eq!(neighbour(&places, a, Side::Up), None);
        assert!(tree.resize(a, Axis::Beside, 100));
        assert!(
            !tree.resize(a, Axis::Below, 100),
            "nothing above or below it"
        );
        let wide = solve(area, &tree, a, false)[0].1.width;
        assert_eq!(wide, 66);
        tree.equalise();
        assert_eq!(solve(area, &tree, a, false)[0].1.width, 50);
        assert_eq!(solve(area, &tree, c, true), [(c, area)]);
        let tree = tree.without(b).unwrap();
        assert_eq!(tree.panes(), [a, c]);
        assert_eq!(tree.without(a).unwrap().without(c), None);
    }
}
