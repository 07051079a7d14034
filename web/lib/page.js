/* page.js - what every page has in its head: the switch between light, dark and the system's colours. */

import { element, setText } from './dom.js';
import { switchTheme, theme } from './theme.js';

/** @type {Record<string, string>} */
const NAMES = { system: 'as the system', light: 'light', dark: 'dark' };

function showTheme() {
    const text = `Colours: ${NAMES[theme()]}`;
    setText(element('theme-text'), text);
    element('theme-button').title = text;
}

element('theme-button').addEventListener('click', () => {
    switchTheme();
    showTheme();
});
showTheme();
