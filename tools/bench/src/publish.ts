const start = '<!-- figures -->';
const end = '<!-- /figures -->';

/** Puts a report between the marks of a page. @throws Error when the page has no such marks */
export function withFigures(page: string, report: string, at: Date): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page needs the lines ${start} and ${end}, in this order`);
  const day = at.toISOString().slice(0, 10);
  const figures = `\n\nMeasured on ${day}.\n\n\`\`\`text\n${report.trim()}\n\`\`\`\n\n`;
  return page.slice(0, from + start.length) + figures + page.slice(to);
}
