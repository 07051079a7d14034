/* csv.js - figures as a file of comma-separated values (RFC 4180), as they are: not rounded, not known is empty. */

/** @typedef {string | number | null | undefined} Value */

/** @param {Value} value */
function cell(value) {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {string[]} head @param {Value[][]} rows */
export const csvText = (head, rows) => [head, ...rows].map((row) => row.map(cell).join(',') + '\r\n').join('');

/** Hand a text to the person as a file. @param {string} text @param {string} name */
export function saveCsv(text, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
