/* theme.js - light, dark, or as the system says; remembered in this browser. Loaded before the first paint. */

const KEY = 'goodness-theme';
const THEMES = ['system', 'light', 'dark'];

/** @type {Map<string, string>} what the tokens are in the theme of now */
const colours = new Map();

/** @returns {string} */
export function theme() {
    try {
        const kept = localStorage.getItem(KEY);
        return kept !== null && THEMES.includes(kept) ? kept : 'system';
    } catch {
        return document.documentElement.dataset.theme ?? 'system';
    }
}

/** @param {string} name */
function apply(name) {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    colours.clear();
    document.dispatchEvent(new Event('themechange'));
}

/** On to the next theme; returns its name. */
export function switchTheme() {
    const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    try {
        localStorage.setItem(KEY, next);
    } catch {
        /* Storage is switched off: the choice holds for this page. */
    }
    apply(next);
    return next;
}

/** The colour that a token has now, as a canvas understands it. @param {string} token "--positive" */
export function colour(token) {
    let found = colours.get(token);
    if (found === undefined) {
        const probe = document.createElement('span');
        probe.style.color = `var(${token})`;
        document.body.append(probe);
        found = getComputedStyle(probe).color;
        probe.remove();
        colours.set(token, found);
    }
    return found;
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => apply(theme()));
apply(theme());
