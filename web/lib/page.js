/* page.js - what every page has in its head: the switch between light, dark and the system's colours; and, for who is
 * signed in, the way out. */

import { element, make, setText } from './dom.js';
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

/** This browser's session ends, in all of its windows. @param {HTMLButtonElement} button */
async function signOut(button) {
    button.disabled = true;
    try {
        await fetch('/api/v1/logout', { method: 'POST' });
        location.assign('/login.html');
    } catch {
        setText(button, 'No answer: sign out');
        button.disabled = false;
    }
}

/** A daemon without a token knows no sessions, and has nothing to sign out of. */
async function offerSignOut() {
    const state = await fetch('/api/v1/login').then((response) => response.json(), () => null);
    if (!state?.signed_in) return;
    const button = make('button', { type: 'button', class: 'button quiet', id: 'sign-out' }, 'Sign out');
    button.addEventListener('click', () => signOut(button));
    element('theme-button').before(button);
}

offerSignOut();
