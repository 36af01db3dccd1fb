// Every report of the console: opened from the list, its table has a row for each of the JSON that it is taken along as, and
// its picture says of each what JSON says.
const figures = (report) => {
  if (report.rows) return report.rows.map((row) => ({ name: Object.values(row)[0], numbers: Object.values(row).filter((one) => typeof one === "number") }));
  return report.groups.flatMap((group) => (group.steps ?? [group]).map((one) => ({ name: one.step ?? group.name, numbers: [(one.time ?? one.sum_of_intervals).count] })));
};

export async function reports(page, home, insist) {
  await page.goto(`${home}/console/reports`);
  const all = await page.$$eval("main .cards a", (links) => links.map((link) => link.pathname));
  insist(all.length >= 15, `${all.length} reports are listed`);
  let rows = 0;
  for (const path of all) {
    // An organization without boards has stages all the same.
    const asked = path.endsWith("issue-stages") ? "?stages=state" : "";
    await page.goto(home + path + asked);
    const { report, shown, drawn } = await page.evaluate(async () => ({
      report: await (await fetch(location.pathname + "/json" + location.search)).json(),
      shown: [...(document.querySelector(".figures table")?.tBodies[0].rows ?? [])].map((row) => [...row.cells].map((cell) => cell.innerText.trim())),
      drawn: [...document.querySelectorAll(".drawn svg")].slice(0, 1).flatMap((svg) => [...svg.querySelectorAll("g.row > title")].map((title) => title.textContent)),
    }));
    const told = figures(report);
    insist(told.length > 0, `${path} has nothing to show`);
    insist(shown.length === told.length, `${path}: ${told.length} rows, and ${shown.length} in the table`);
    insist(drawn.length === Math.min(told.length, report.rows ? 60 : 40), `${path}: ${drawn.length} bars for ${told.length} rows`);
    for (const [place, { name, numbers }] of told.entries()) {
      insist(name === null || name === shown[place]?.[0].split(/\s(?=good|acceptable|slow)/)[0], `${path}: the table has ${shown[place]?.[0]} for ${name}`);
      if (drawn[place] === undefined) continue;
      const [first] = drawn[place].slice(drawn[place].lastIndexOf(": ") + 2).match(/\d+/) ?? [];
      insist(numbers.includes(Number(first)), `${path}: the picture says "${drawn[place]}" of ${JSON.stringify(numbers)}`);
    }
    rows += told.length;
  }
  // From a group to it alone, and to what is behind it on GitHub.
  await page.goto(`${home}/console/reports/pr-cycle?across=repository`);
  const [name, address] = await page.$eval(".figures tbody th a", (link) => [link.innerText.trim(), link.href]);
  await page.goto(address);
  const alone = await page.evaluate(async () => (await fetch(location.pathname + "/json" + location.search)).json());
  insist(name.endsWith(`· ${new URL(address).searchParams.get("repo")}`), `${name} leads to ${address}`);
  insist(alone.longest.length > 0 && alone.longest.every((one) => one.repo === new URL(address).searchParams.get("repo")), `${address} is not of one repository`);
  const items = await page.$$eval(".figures th a", (links) => links.map((link) => link.href));
  insist(items.some((item) => /\/acme\/[^/]+\/issues\/\d+$/.test(item)), "no item leads to GitHub");
  return rows;
}
