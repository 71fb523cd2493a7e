import { describe, expect, it } from 'vitest';
import {
  claim,
  countOf,
  finish,
  isAllClaimed,
  jobAt,
  MAX_JOB,
  MAX_JOBS,
  offer,
  sharedForJobs,
  viewJobs,
  type SigningJob,
} from './signing-jobs.ts';

/** One job as both threads see it. */
function twoViews(): [SigningJob, SigningJob] {
  const shared = sharedForJobs();
  return [jobAt(viewJobs(shared), 0), jobAt(viewJobs(shared), 0)];
}

describe('a job that two threads share', () => {
  it('gives each signature to one of them, and none beyond', () => {
    const [ours, theirs] = twoViews();
    offer(ours, 5);
    expect([claim(ours), claim(theirs), claim(theirs), claim(ours), claim(theirs)]).toEqual([0, 1, 2, 3, 4]);
    expect(isAllClaimed(theirs)).toBe(true);
    expect([claim(ours), claim(theirs)]).toEqual([undefined, undefined]);
    expect(countOf(ours)).toBe(5);
  });

  it('is done when the last signature is there, whoever made it, and not when the last is claimed', () => {
    const [ours, theirs] = twoViews();
    offer(ours, 3);
    claim(ours);
    claim(theirs);
    claim(theirs);
    expect(finish(theirs)).toBe(false);
    expect(finish(theirs)).toBe(false);
    expect(ours.finished[0]).toBe(2);
    expect(finish(ours)).toBe(true);
  });

  it('has nothing to claim before the first offer', () => {
    const [ours, theirs] = twoViews();
    expect(isAllClaimed(ours)).toBe(true);
    expect(claim(theirs)).toBeUndefined();
  });

  it('counts a claim that comes late in the job that stands there by then', () => {
    const [ours, theirs] = twoViews();
    offer(ours, 8);
    for (let i = 0; i < 8; i++) claim(ours);
    for (let i = 0; i < 8; i++) finish(ours);
    // The other thread looks at the first job once more while the place is taken by a second, larger one.
    expect(claim(theirs)).toBeUndefined();
    offer(ours, MAX_JOB);
    expect(claim(theirs)).toBe(0);
    expect(finish(theirs)).toBe(false);
    for (let i = 1; i < MAX_JOB; i++) expect(claim(ours)).toBe(i);
    for (let i = 1; i < MAX_JOB; i++) expect(finish(ours)).toBe(i === MAX_JOB - 1);
  });
});

describe('the ring of jobs', () => {
  it('goes on when their number overflows', () => {
    const jobs = viewJobs(sharedForJobs());
    const last = 2 ** 31 - 1;
    const places = [last - 1, last, (last + 1) | 0, (last + 2) | 0].map((number) =>
      jobs.jobs.indexOf(jobAt(jobs, number)),
    );
    expect(places).toEqual([MAX_JOBS - 2, MAX_JOBS - 1, 0, 1]);
  });
});
